// The button that prints the handout.

import { byId } from "./dom.js";

byId("print").addEventListener("click", () => window.print());
