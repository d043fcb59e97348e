// The button that trains an agent on the reward in the editor.

import { post } from "./api.js";
import { byId, h, say } from "./dom.js";
import { compact, t } from "./page.js";

const LENGTHS = { short: 100_000, medium: 300_000, long: 1_000_000 };

export class Train {
  /**
   * @param {import("./store.js").Store} store
   * @param {import("./versions.js").Versions} versions
   * @param {import("./check.js").Check} check
   * @param {import("./stage.js").Stage} stage
   */
  constructor(store, versions, check, stage) {
    this.store = store;
    this.versions = versions;
    this.check = check;
    this.stage = stage;
    this.button = byId("start");
    this.length = byId("length");
    this.button.addEventListener("click", () => this.start());
    store.addEventListener("class", () => this.#offerLengths());
  }

  /** Save the reward, train on it and show the agent next to the one before. */
  async start() {
    if (this.button.disabled) return;
    this.button.disabled = true;
    this.button.lastChild.textContent = t("train.starting");
    try {
      if (!(await this.check.passes())) throw new Error(t("train.mistakes"));
      const version = await this.versions.save();
      const request = { version, steps: Number(this.length.value), seed: 0 };
      const { id } = await post("/api/runs", request);
      await this.#arrived(id);
      this.stage.show(id);
      byId("stage").scrollIntoView({ block: "nearest" });
    } catch (error) {
      say(error.message, { bad: true });
    } finally {
      this.button.disabled = false;
      this.button.lastChild.textContent = t("train.start");
    }
  }

  /** Wait for a new run: the server tells of it over the live connection. */
  async #arrived(id) {
    if (this.store.runs.has(id)) return;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, 1_500);
      this.store.addEventListener("runs", () => {
        if (!this.store.runs.has(id)) return;
        clearTimeout(timer);
        resolve();
      });
    });
    if (!this.store.runs.has(id)) await this.store.load();
  }

  #offerLengths() {
    const most = this.store.group.limits?.steps ?? Infinity;
    const chosen = this.length.value;
    const offered = Object.entries(LENGTHS).filter(([, steps]) => steps <= most);
    if (offered.length === 0) offered.push(["short", most]);
    this.length.replaceChildren(
      ...offered.map(([name, steps]) => {
        const text = `${t(`train.${name}`)} · ${t("train.steps", { steps: compact(steps) })}`;
        return h("option", { value: steps }, text);
      }),
    );
    const steps = offered.map(([, steps]) => String(steps));
    this.length.value = steps.includes(chosen) ? chosen : steps.at(Math.min(1, steps.length - 1));
  }
}
