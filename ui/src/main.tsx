import { render } from "preact";
import "./style/base.css";
import "./style/shell.css";
import "./style/chat.css";
import "./style/views.css";
import { App } from "./app";
import { start } from "./state/session";

render(<App />, document.getElementById("app")!);
void start();
