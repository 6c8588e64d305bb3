import { render } from "preact";
import "./style/base.css";
import { App } from "./app";

render(<App />, document.getElementById("app")!);
