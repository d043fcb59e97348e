// The agents next to each other: which ones are shown.

import { Card } from "./card.js";
import { Curves } from "./curves.js";
import { byId } from "./dom.js";
import { Transport } from "./transport.js";

const MOST = 3; // agents at a time

/** Fires "shown" when other agents are shown. */
export class Stage extends EventTarget {
  #cards = new Map();

  /** @param {import("./store.js").Store} store */
  constructor(store) {
    super();
    this.store = store;
    /** Ids of the runs that are shown, the first one on the left. */
    this.shown = [];
    this.transport = new Transport(byId("transport"), () => [...this.#cards.values()]);
    this.curves = new Curves(store);
    store.addEventListener("runs", ({ detail }) => this.#updateRun(detail));
    store.addEventListener("film", ({ detail }) => this.#cards.get(detail)?.update());
    store.addEventListener("points", () => this.curves.draw(this.shown));
    store.addEventListener("versions", () => this.#update());
    store.addEventListener("game", () => this.#showNewest());
  }

  /** Show a run, next to the one that was shown first. */
  show(id) {
    this.shown = [id, ...this.shown.filter((other) => other !== id)].slice(0, 2);
    this.#update();
  }

  /** Show or hide a run. */
  toggle(id) {
    if (this.shown.includes(id)) this.shown = this.shown.filter((other) => other !== id);
    else this.shown = [...this.shown, id].slice(-MOST);
    this.#update();
  }

  #showNewest() {
    this.shown = this.store
      .runsOfGame()
      .slice(0, 2)
      .map((run) => run.id);
    this.#update();
  }

  #updateRun(id) {
    if (this.store.runs.has(id)) {
      this.#cards.get(id)?.update();
      return;
    }
    this.shown = this.shown.filter((other) => this.store.runs.has(other));
    if (this.shown.length > 0) this.#update();
    else this.#showNewest();
  }

  #update() {
    for (const [id, card] of this.#cards) {
      if (this.shown.includes(id)) continue;
      card.end();
      this.#cards.delete(id);
    }
    for (const id of this.shown) {
      if (!this.#cards.has(id)) this.#cards.set(id, new Card(id, this.store, this.transport));
    }
    const cards = this.shown.map((id) => this.#cards.get(id));
    for (const card of cards) card.update();
    const agents = byId("agents");
    agents.replaceChildren(...cards.map((card) => card.element));
    agents.dataset.count = String(cards.length);
    byId("no-agents").hidden = cards.length > 0;
    this.transport.element.hidden = cards.length === 0;
    byId("curves").hidden = cards.length === 0;
    this.curves.draw(this.shown);
    this.dispatchEvent(new CustomEvent("shown"));
  }
}
