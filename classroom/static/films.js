// The agents of a league next to each other, each playing its film again and again.

import { FilmPlayer } from "./canvas.js";
import { get } from "./api.js";
import { h } from "./dom.js";
import { short, t } from "./page.js";

const MOST = 9;

export class Films {
  #shown = new Map(); // address -> {element, player}

  /** @param {HTMLElement} parent */
  constructor(parent) {
    this.parent = parent;
  }

  /** Show the films of the rows that have one, best first. Returns how many. */
  show(rows) {
    const filmed = rows.filter(({ film }) => film).slice(0, MOST);
    const addresses = filmed.map(({ film }) => film);
    for (const [address, { player }] of this.#shown) {
      if (addresses.includes(address)) continue;
      player.pause();
      this.#shown.delete(address);
    }
    this.parent.replaceChildren(...filmed.map((row) => this.#card(row)));
    this.parent.dataset.count = String(filmed.length);
    return filmed.length;
  }

  #card({ film, name, rank, score }) {
    const known = this.#shown.get(film) ?? this.#make(film, name);
    this.#shown.set(film, known);
    known.caption.replaceChildren(h("b", {}, `${rank}.`), ` ${name} `, h("span", {}, short(score)));
    return known.element;
  }

  #make(film, name) {
    const label = t("projector.canvas", { name });
    const canvas = h("canvas", { width: "480", height: "480", role: "img", "aria-label": label });
    const caption = h("figcaption", {});
    const player = new FilmPlayer(canvas);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    get(film).then(
      (content) => {
        player.load(content);
        if (!still) player.play();
      },
      () => undefined, // a film that was replaced a moment ago
    );
    return { element: h("figure", { class: "film" }, canvas, caption), player, caption };
  }
}
