// Which of the shell's layers are open.
import { signal } from "@preact/signals";

export const paletteOpen = signal(false);
export const preferencesOpen = signal(false);
export const drawerOpen = signal(false); // the sidebar on a phone
