// The connection over which the server tells what is new. It comes back by itself.

const FIRST_WAIT = 500; // ms
const LONGEST_WAIT = 8_000;

/** Fires "message" (detail: what the server sent), "lost", and "open" (detail: a reconnect?). */
export class Live extends EventTarget {
  #wait = FIRST_WAIT;
  #before = false;

  /** Connect, and go on trying. */
  connect() {
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/live`);
    socket.addEventListener("open", () => {
      this.#wait = FIRST_WAIT;
      this.#fire("open", this.#before);
      this.#before = true;
    });
    socket.addEventListener("message", (event) => this.#fire("message", JSON.parse(event.data)));
    socket.addEventListener("close", () => {
      this.#fire("lost", null);
      setTimeout(() => this.connect(), this.#wait * (0.75 + Math.random() / 2));
      this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT);
    });
  }

  #fire(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** Say in an element whether the connection is lost. */
export function showConnection(live, element, texts) {
  let again;
  live.addEventListener("lost", () => {
    clearTimeout(again);
    element.hidden = false;
    element.className = "connection lost";
    element.textContent = texts.lost;
  });
  live.addEventListener("open", ({ detail: reconnected }) => {
    if (!reconnected) return;
    element.className = "connection";
    element.textContent = texts.back;
    again = setTimeout(() => (element.hidden = true), 3_000);
  });
}
