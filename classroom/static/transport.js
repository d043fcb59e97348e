// The buttons that play, stop and step all shown films at the same time.

import { button, h, icon } from "./dom.js";
import { short, t } from "./page.js";

const SPEEDS = [0.25, 0.5, 1, 2];

export class Transport {
  /**
   * @param {HTMLElement} element that gets the buttons
   * @param {() => import("./card.js").Card[]} cards returns the agents that are shown
   */
  constructor(element, cards) {
    this.element = element;
    this.cards = cards;
    this.playing = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.speed = 1;
    this.toggle = button("", { class: "quiet", iconName: "pause", onclick: () => this.#toggle() });
    this.position = h("input", {
      type: "range",
      min: "0",
      max: "0",
      value: "0",
      "aria-label": t("stage.position"),
      oninput: () => this.#seek(Number(this.position.value)),
    });
    const speeds = SPEEDS.map((speed) =>
      h("option", { value: speed, selected: speed === 1 }, `${short(speed)}×`),
    );
    const choice = h("select", { "aria-label": t("stage.speed") }, ...speeds);
    choice.addEventListener("change", () => this.#setSpeed(Number(choice.value)));
    const step = (text, name, by) =>
      button(text, { class: "quiet", iconName: name, label: false, onclick: () => this.#step(by) });
    element.append(
      this.toggle,
      step(t("stage.back"), "back", -1),
      step(t("stage.forward"), "forward", 1),
      this.position,
      choice,
    );
    this.#showToggle();
    this.#follow();
  }

  /** Start a film that was loaded, in the way the others play. */
  begin(player) {
    player.speed = this.speed;
    if (this.playing) player.play();
    else player.seek(0);
  }

  #toggle() {
    this.playing = !this.playing;
    for (const { player } of this.cards()) this.playing ? player.play() : player.pause();
    this.#showToggle();
  }

  #showToggle() {
    const text = t(this.playing ? "stage.pause" : "stage.play");
    this.toggle.setAttribute("aria-label", text);
    this.toggle.title = text;
    this.toggle.replaceChildren(icon(this.playing ? "pause" : "play"));
  }

  #pause() {
    if (this.playing) this.#toggle();
  }

  #step(by) {
    this.#pause();
    for (const { player } of this.cards()) player.step(by);
  }

  #seek(frame) {
    this.#pause();
    for (const { player } of this.cards()) player.seek(Math.min(frame, last(player)));
  }

  #setSpeed(speed) {
    this.speed = speed;
    for (const { player } of this.cards()) player.speed = speed;
  }

  /** Move the slider with the longest of the films. */
  #follow() {
    const players = this.cards().map(({ player }) => player);
    const longest = players.sort((a, b) => last(b) - last(a))[0];
    if (longest !== undefined && !this.element.hidden) {
      this.position.max = String(last(longest));
      this.position.value = String(longest.frame);
    }
    requestAnimationFrame(() => this.#follow());
  }
}

function last(player) {
  return Math.max((player.film?.frames.length ?? 1) - 1, 0);
}
