// Curves against training steps, which grow while agents train.

import uPlot from "uplot";

import { h } from "./dom.js";
import { compact, short, t, whole } from "./page.js";

const dark = matchMedia("(prefers-color-scheme: dark)");

/** @typedef {{name: string, colour: string, steps: number[], values: number[]}} Curve */

export class Chart {
  #plot = null;
  #key = "";
  #curves = [];
  #waiting = false;

  /**
   * @param {HTMLElement} parent
   * @param {{label: string, empty: string}} options
   */
  constructor(parent, { label, empty }) {
    this.area = h("div", { class: "plot", role: "img", "aria-label": label });
    this.legend = h("ul", { class: "legend" });
    this.empty = h("p", { class: "quiet plot-empty" }, empty);
    parent.replaceChildren(this.area, this.legend);
    this.area.append(this.empty);
    new ResizeObserver(() => this.#resize()).observe(this.area);
    dark.addEventListener("change", () => {
      this.#key = "";
      this.set(this.#curves);
    });
  }

  /** Show curves; at most once in a frame of the screen. @param {Curve[]} curves */
  set(curves) {
    this.#curves = curves;
    if (this.#waiting) return;
    this.#waiting = true;
    requestAnimationFrame(() => {
      this.#waiting = false;
      this.#draw();
    });
  }

  #draw() {
    const curves = this.#curves.filter(({ steps }) => steps.length > 0);
    this.empty.hidden = curves.length > 0;
    const key = curves.map(({ name, colour }) => `${name} ${colour}`).join("\n");
    if (key !== this.#key || curves.length === 0) this.#rebuild(curves, key);
    if (this.#plot !== null) this.#plot.setData(columns(curves));
    this.legend.replaceChildren(
      ...curves.map(({ name, colour, values }) =>
        h(
          "li",
          {},
          h("span", { class: `dot ${colour}` }),
          h("span", { class: "name" }, name),
          h("b", {}, short(values.at(-1))),
        ),
      ),
    );
  }

  #rebuild(curves, key) {
    this.#plot?.destroy();
    this.#plot = null;
    this.#key = key;
    if (curves.length === 0) return;
    const colour = (name) => getComputedStyle(document.body).getPropertyValue(`--${name}`);
    const axis = {
      stroke: colour("quiet"),
      font: "12px system-ui, sans-serif",
      grid: { stroke: colour("line"), width: 1 },
      ticks: { show: false },
    };
    const title = { label: t("stage.steps_axis"), labelSize: 18, labelFont: axis.font };
    const number = (_, values) => values.map((value) => short(value));
    this.#plot = new uPlot(
      {
        ...this.#size(),
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false } },
        scales: { x: { time: false } },
        axes: [
          { ...axis, ...title, values: (_, values) => values.map(compact), size: 28 },
          { ...axis, values: number, size: 52 },
        ],
        series: [
          { value: (_, value) => whole(value) },
          ...curves.map(({ name, colour: own }) => ({
            label: name,
            stroke: colour(own),
            width: 2,
            spanGaps: true,
            points: { show: (plot, k) => plot.data[k].length < 3, size: 5 },
          })),
        ],
      },
      columns(curves),
      this.area,
    );
  }

  #size() {
    return { width: Math.max(this.area.clientWidth, 50), height: this.area.clientHeight };
  }

  #resize() {
    this.#plot?.setSize(this.#size());
  }
}

/** Return the curves as columns of one table over all of their steps. */
function columns(curves) {
  if (curves.length === 0) return [[]];
  return uPlot.join(curves.map(({ steps, values }) => [steps, values]));
}
