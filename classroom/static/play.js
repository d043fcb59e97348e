// Play the game by keyboard or touch, against the score of one's best agent.

import { gameQuery } from "./api.js";
import { Picture } from "./picture.js";
import { byId, h, icon } from "./dom.js";
import { gameTitle, scoreText, t } from "./page.js";

const KEYS = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right" };

export class Play {
  #socket = null;
  #pressed = new Set();
  #score = 0;

  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.store = store;
    this.canvas = byId("play-canvas");
    this.picture = new Picture(this.canvas);
    this.start = byId("play-start");
    this.start.addEventListener("click", () => this.begin());
    this.canvas.addEventListener("keydown", (event) => this.#key(event, true));
    this.canvas.addEventListener("keyup", (event) => this.#key(event, false));
    this.canvas.addEventListener("blur", () => this.#release());
    for (const name of ["game", "runs", "class"])
      store.addEventListener(name, () => this.#describe());
    store.addEventListener("game", () => this.end());
  }

  /** Start a new game. */
  begin() {
    this.end();
    const { name, options } = this.store.game;
    const address = `${location.origin.replace(/^http/, "ws")}/play${gameQuery(name, options)}`;
    const socket = new WebSocket(address);
    this.#socket = socket;
    this.#show(0);
    byId("play-verdict").textContent = t("train.starting");
    this.start.hidden = true;
    this.canvas.focus();
    socket.addEventListener("message", (event) => this.#take(socket, JSON.parse(event.data)));
    socket.addEventListener("close", () => {
      if (socket === this.#socket) this.#over(t("play.closed"));
    });
  }

  /** End the game, if there is one. */
  end() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#pressed.clear();
    byId("play-cover").hidden = false;
    byId("play-verdict").textContent = "";
    this.start.hidden = false;
    this.start.lastChild.textContent = t("play.start");
  }

  #take(socket, { frame, score, over, error }) {
    if (socket !== this.#socket) return;
    if (error) {
      this.#over(error);
      return;
    }
    byId("play-cover").hidden = true;
    this.picture.draw(frame);
    if (score !== this.#score) this.#show(score);
    if (!over) return;
    const { name, options } = this.store.game;
    const agent = this.store.bestRun(name, options)?.score ?? null;
    const yours = scoreText(score, name, options);
    if (agent === null) this.#over(t("play.over", { yours }));
    else {
      const better = score > agent;
      const texts = { yours, agent: scoreText(agent, name, options) };
      this.#over(t(better ? "play.won" : "play.lost", texts));
    }
  }

  #over(text) {
    this.end();
    byId("play-verdict").textContent = text;
    this.start.lastChild.textContent = t("play.again");
    this.start.focus();
  }

  #show(score) {
    this.#score = score;
    const { name, options } = this.store.game;
    byId("play-yours").textContent = scoreText(score, name, options);
  }

  #describe() {
    const { name, options } = this.store.game;
    const keys = this.store.games.find((game) => game.name === name)?.keys ?? [];
    this.canvas.setAttribute("aria-label", t("play.canvas", { game: gameTitle(name, options) }));
    const names = keys.map((key) => t(`play.${key}`)).join(", ");
    byId("play-keys").textContent = t("play.keys", { keys: names });
    const best = this.store.bestRun(name, options);
    const agent = byId("play-agent");
    agent.className = best === null ? "none" : "";
    agent.textContent = best === null ? t("play.no_agent") : scoreText(best.score, name, options);
    const pad = byId("play-pad");
    if (pad.dataset.keys === keys.join()) return;
    pad.dataset.keys = keys.join();
    pad.replaceChildren(...keys.map((key) => this.#padButton(key)));
  }

  #padButton(key) {
    const hold = (event) => {
      event.preventDefault();
      this.#press(key, true);
    };
    const release = () => this.#press(key, false);
    return h(
      "button",
      {
        type: "button",
        class: `pad ${key}`,
        "aria-label": t(`play.${key}`),
        onpointerdown: hold,
        onpointerup: release,
        onpointerleave: release,
        onpointercancel: release,
        oncontextmenu: (event) => event.preventDefault(),
      },
      icon(key),
    );
  }

  #key(event, down) {
    const key = KEYS[event.key];
    if (key === undefined || this.#socket === null) return;
    event.preventDefault();
    this.#press(key, down);
  }

  #press(key, down) {
    if (this.#pressed.has(key) === down) return;
    if (down) this.#pressed.add(key);
    else this.#pressed.delete(key);
    this.#send();
  }

  #release() {
    this.#pressed.clear();
    this.#send();
  }

  #send() {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.send(JSON.stringify({ keys: [...this.#pressed] }));
  }
}
