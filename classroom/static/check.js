// While the student writes: check the reward after each pause, underline, list and tabulate.

import { gameQuery, get, post } from "./api.js";
import { byId, h } from "./dom.js";
import { t } from "./page.js";
import { table } from "./tables.js";

const PAUSE = 400; // ms without typing before a check

export class Check {
  #number = 0;
  #timer;

  /**
   * @param {import("./editor.js").Editor} editor
   * @param {import("./store.js").Store} store
   */
  constructor(editor, store) {
    this.editor = editor;
    this.store = store;
    /** The text that was checked last, and whether it passed. */
    this.checked = { source: null, passed: false };
  }

  /** Return whether the text in the editor passes; check it first if that is not known. */
  async passes() {
    if (this.checked.source !== this.editor.source) await this.now();
    return this.checked.source === this.editor.source && this.checked.passed;
  }

  /** Note that the text has changed. */
  later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.now(), PAUSE);
  }

  /** Check what is in the editor. An answer to an older text is ignored. */
  async now() {
    clearTimeout(this.#timer);
    const number = ++this.#number;
    this.#verdict("waiting", t("check.waiting"));
    const { name: game, options } = this.store.game;
    const { source } = this.editor;
    try {
      const answer = await post("/api/check", { game, options, source });
      if (number !== this.#number) return;
      this.checked = { source, passed: answer.ok };
      this.show(answer);
    } catch (error) {
      if (number === this.#number)
        this.#verdict("bad", t("check.failed", { error: error.message }));
    }
  }

  /** Show the answer of a check. */
  show({ ok, problems, tables = null, summary = "" }) {
    this.editor.underline(problems);
    const errors = problems.filter(({ severity }) => severity === "error").length;
    const warnings = problems.length - errors;
    if (errors > 0 || !ok) this.#verdict("bad", counted("problem", errors));
    else if (warnings > 0) this.#verdict("warn", counted("warning", warnings));
    else this.#verdict("good", t("check.good"));
    byId("problems").replaceChildren(...problems.map((problem) => this.#problem(problem)));
    if (tables === null) return;
    const nothing = h("p", { class: "quiet" }, t("check.pays_nothing"));
    const lines = summary.split("\n").filter((line) => line.trim() !== "");
    byId("pays").replaceChildren(
      ...(tables.length === 0 ? [nothing] : tables.map(table)),
      ...lines.map((line) => h("p", { class: "quiet" }, line)),
    );
  }

  /** Read the completions of the chosen game. */
  async loadCompletions() {
    const { name, options } = this.store.game;
    const completions = await get(`/api/completions${gameQuery(name, options)}`);
    this.editor.completions = completions.map((one) => ({ type: "property", ...one }));
  }

  #verdict(kind, text) {
    const line = byId("verdict");
    line.className = `verdict ${kind}`;
    if (kind !== "waiting" || line.textContent === "") line.textContent = text;
  }

  #problem({ line, message, severity }) {
    if (line === null) return h("li", { class: severity }, message);
    const go = () => this.editor.goTo(line);
    const text = t("check.line", { line, message });
    return h("li", { class: severity }, h("button", { type: "button", onclick: go }, text));
  }
}

function counted(word, count) {
  return count === 1 ? t(`check.one_${word}`) : t(`check.${word}s`, { count });
}
