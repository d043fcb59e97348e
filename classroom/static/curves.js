// The learning curves: the scores of all shown agents, and what each part of one reward pays.

import { Chart } from "./charts.js";
import { byId } from "./dom.js";
import { t } from "./page.js";

const SCORE_TAG = "eval/mean_score";
const TERM_PREFIX = "eval/reward/";
const TERM_SUM = "eval/reward/weighted_sum";

export class Curves {
  #ids = []; // of the runs that were asked for last

  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.store = store;
    const empty = t("stage.no_curve");
    this.scores = new Chart(byId("score-chart"), { label: t("stage.score_curve_label"), empty });
    this.terms = new Chart(byId("term-chart"), { label: t("stage.term_curve_label"), empty });
  }

  /** Draw the curves of runs; the parts of the reward are those of the first one. */
  async draw(ids) {
    this.#ids = ids;
    const runs = ids.map((id) => this.store.runs.get(id)).filter(Boolean);
    const points = await Promise.all(runs.map((run) => this.store.pointsOf(run.id)));
    if (ids !== this.#ids) return; // others are shown by now
    const nothing = { steps: [], values: [] };
    this.scores.set(
      runs.map((run, k) => ({
        name: this.store.nameOf(run),
        colour: `agent${this.store.colourOf(run)}`,
        ...(points[k][SCORE_TAG] ?? nothing),
      })),
    );
    if (runs.length === 0) return;
    const name = this.store.nameOf(runs[0]);
    byId("term-title").textContent = t("stage.term_curve", { name });
    const tags = Object.keys(points[0]).filter(
      (tag) => tag.startsWith(TERM_PREFIX) && tag !== TERM_SUM,
    );
    this.terms.set(
      tags.sort().map((tag, k) => ({
        name: tag.slice(TERM_PREFIX.length),
        colour: `term${k % 5}`,
        ...points[0][tag],
      })),
    );
  }
}
