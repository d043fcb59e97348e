// One picture of a game, drawn sharply on a canvas.

import { draw } from "./canvas.js";

const SIDE = 480; // units of the operations

export class Picture {
  #backdrops = {};

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    const scale = Math.min(Math.max(window.devicePixelRatio, 1), 2);
    canvas.width = canvas.height = SIDE * scale;
    this.context = canvas.getContext("2d");
    this.context.scale(scale, scale);
  }

  /** Draw operations; backdrops that came once are kept for later pictures. */
  draw(operations, backdrops = {}) {
    Object.assign(this.#backdrops, backdrops);
    draw(this.context, operations, this.#backdrops);
  }
}
