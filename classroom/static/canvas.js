// Pictures of games, painted on a canvas of the page, and films of them.
//
// envs/engine/film.py makes the pictures and says what each operation means. A picture does not
// know its size on the screen: one unit of the canvas is one pixel of the picture.

/**
 * A letter and its values; lengths are in tenths of a pixel.
 * @typedef {[string, ...any]} Operation
 */

/**
 * @typedef {object} Film
 * @property {number} side of its square pictures, in pixels
 * @property {number} fps pictures per second
 * @property {Operation[][]} frames
 */

const FONT = "bold 100px 'Training Wheels', Arial, sans-serif"; // 100 units to an em
const LAST_SECONDS = 1; // for which a film shows its last picture before it begins again
const LONGEST_STEP = 0.25; // seconds; a page in the background does not catch up

/** Pygame's own font, which the server sends. Without it, the page's own letters are used. */
const font = new FontFace("Training Wheels", `url(${new URL("font.ttf", import.meta.url)})`, {
  weight: "bold",
});
const fontIsThere = font.load().then(
  (loaded) => document.fonts.add(loaded),
  () => undefined,
);

/** @type {Record<string, (context: CanvasRenderingContext2D, ...values: any[]) => void>} */
const PAINTERS = {
  r: rectangle,
  c: circle,
  p: polygon,
  l: line,
  g: gradient,
  s: part,
  t: text,
};

/**
 * Paint a picture over what the canvas shows.
 * @param {CanvasRenderingContext2D} context
 * @param {Operation[]} operations
 */
export function draw(context, operations) {
  context.save();
  context.scale(0.1, 0.1);
  paint(context, operations);
  context.restore();
}

function paint(context, operations) {
  for (const [kind, ...values] of operations) PAINTERS[kind](context, ...values);
}

function rectangle(context, colour, x, y, width, height, rounding = 0) {
  context.fillStyle = colour;
  if (rounding === 0) {
    context.fillRect(x, y, width, height);
    return;
  }
  context.beginPath();
  context.roundRect(x, y, width, height, rounding);
  context.fill();
}

function circle(context, colour, x, y, radius, width = 0) {
  context.beginPath();
  context.arc(x, y, radius - width / 2, 0, 2 * Math.PI);
  if (width === 0) {
    context.fillStyle = colour;
    context.fill();
  } else {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  }
}

function polygon(context, colour, differences) {
  context.fillStyle = colour;
  trace(context, places(differences));
  context.fill();
}

function line(context, colour, widths, differences) {
  const points = places(differences);
  if (Array.isArray(widths)) {
    context.fillStyle = colour;
    outline(context, points, widths);
    context.fill();
    return;
  }
  context.strokeStyle = colour;
  context.lineWidth = widths;
  context.lineCap = context.lineJoin = "round";
  trace(context, points);
  context.stroke();
}

function gradient(context, x, y, width, height, colours) {
  const fill = context.createLinearGradient(0, y, 0, y + height);
  colours.forEach((colour, k) => fill.addColorStop(k / (colours.length - 1), colour));
  context.fillStyle = fill;
  context.fillRect(x, y, width, height);
}

function part(context, x, y, width, height, operations) {
  context.save();
  context.translate(x, y);
  context.beginPath();
  context.rect(0, 0, width, height);
  context.clip();
  paint(context, operations);
  context.restore();
}

/** Write a text that is exactly `width` wide in any font. */
function text(context, colour, x, y, width, size, content) {
  context.save();
  context.font = FONT;
  context.fillStyle = colour;
  context.translate(x, y);
  context.scale(width / context.measureText(content).width, size / 100);
  context.fillText(content, 0, 0);
  context.restore();
}

/**
 * Return the points whose distances from each other are given: [x, y] each.
 * @param {number[]} differences
 * @returns {[number, number][]}
 */
function places(differences) {
  const points = [];
  let [x, y] = [0, 0];
  for (let k = 0; k < differences.length; k += 2) {
    x += differences[k];
    y += differences[k + 1];
    points.push([x, y]);
  }
  return points;
}

function trace(context, points) {
  context.beginPath();
  context.moveTo(...points[0]);
  for (const point of points) context.lineTo(...point);
}

/** Trace a disc at each point, and between them what joins their sides, all clockwise. */
function outline(context, points, widths) {
  context.beginPath();
  points.forEach(([x, y], k) => {
    const radius = widths[k] / 2;
    context.moveTo(x + radius, y);
    context.arc(x, y, radius, 0, 2 * Math.PI);
    if (k === 0) return;
    const [fromX, fromY] = points[k - 1];
    const length = Math.hypot(x - fromX, y - fromY);
    if (length === 0) return;
    const [asideX, asideY] = [(fromY - y) / length, (x - fromX) / length];
    const before = widths[k - 1] / 2;
    context.moveTo(fromX - asideX * before, fromY - asideY * before);
    context.lineTo(x - asideX * radius, y - asideY * radius);
    context.lineTo(x + asideX * radius, y + asideY * radius);
    context.lineTo(fromX + asideX * before, fromY + asideY * before);
    context.closePath();
  });
}

/** Plays a film on a canvas, as large and as sharp as the page shows the canvas. */
export class FilmPlayer {
  /** @type {Film | null} the film that is shown */
  film = null;
  /** Number of the picture that is shown, from 0. */
  frame = 0;
  /** 1 is the speed of the game. */
  speed = 1;
  /** Whether the film begins again at its end. */
  loop = true;
  /** Whether the film is playing. */
  playing = false;
  #position = 0; // in pictures
  #time = 0; // of the last picture of the screen, in milliseconds
  #request = 0;

  /** @param {HTMLCanvasElement} canvas whose size is set by CSS, or else by its attributes */
  constructor(canvas) {
    this.canvas = canvas;
    new ResizeObserver(() => this.#show()).observe(canvas);
    fontIsThere.then(() => this.#show());
  }

  /**
   * Show the first picture of a film; it plays if another one was playing.
   * @param {Film} film
   */
  load(film) {
    this.film = film;
    this.seek(0);
  }

  /** Play from the picture that is shown, or from the first one if it is the last. */
  play() {
    if (this.playing) return;
    if (this.film !== null && this.frame === this.#last) this.#position = 0;
    this.playing = true;
    this.#time = performance.now();
    this.#request = requestAnimationFrame((now) => this.#advance(now));
  }

  /** Stop at the picture that is shown. */
  pause() {
    this.playing = false;
    cancelAnimationFrame(this.#request);
  }

  /**
   * Show a picture; a number beyond the end shows the last one.
   * @param {number} frame
   */
  seek(frame) {
    this.#position = this.frame = Math.min(Math.max(frame, 0), this.#last);
    this.#show();
  }

  /**
   * Show the picture some pictures later, or earlier if `count` is negative.
   * @param {number} count
   */
  step(count) {
    this.seek(this.frame + count);
  }

  get #last() {
    return this.film === null ? 0 : this.film.frames.length - 1;
  }

  #advance(now) {
    if (!this.playing) return;
    if (this.film !== null) {
      const seconds = Math.min((now - this.#time) / 1000, LONGEST_STEP);
      this.#position += Math.max(seconds, 0) * this.film.fps * this.speed;
      if (this.#position >= this.#last + 1 + LAST_SECONDS * this.film.fps && this.loop) {
        this.#position = 0;
      }
      const frame = Math.min(Math.floor(this.#position), this.#last);
      if (frame !== this.frame) {
        this.frame = frame;
        this.#show();
      }
      if (frame === this.#last && !this.loop) {
        this.pause();
        return;
      }
    }
    this.#time = now;
    this.#request = requestAnimationFrame((next) => this.#advance(next));
  }

  #show() {
    if (this.film === null) return;
    const side = Math.round(this.canvas.clientWidth * window.devicePixelRatio) || this.film.side;
    if (this.canvas.width !== side) this.canvas.width = this.canvas.height = side;
    const context = this.canvas.getContext("2d");
    const scale = side / this.film.side;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    draw(context, this.film.frames[this.frame]);
  }
}
