// The versions of the reward, with names and notes; the one in the editor.

import { gameQuery, get, post, remove } from "./api.js";
import { ask, attempt, button, byId, h, say, showDialog } from "./dom.js";
import { gameId, gameTitle, page, scoreText, t } from "./page.js";

export class Versions {
  /** The version whose source is in the editor, or null. */
  current = null;

  /**
   * @param {import("./editor.js").Editor} editor
   * @param {import("./store.js").Store} store
   */
  constructor(editor, store) {
    this.editor = editor;
    this.store = store;
    this.name = byId("version-name");
    this.note = byId("version-note");
    byId("versions").addEventListener("click", () => this.#list());
    byId("save").addEventListener("click", () => attempt(() => this.#saveAndSay()));
    byId("start-over").addEventListener("click", () => this.#startOver());
  }

  /** Open the draft of the chosen game: what was written last, else its starter. */
  async openGame() {
    const draft = JSON.parse(sessionStorage.getItem(this.#draftKey()) ?? "null");
    if (draft !== null) {
      this.#open(this.store.version(draft.version) ?? null, draft.source);
      return;
    }
    const id = gameId(this.store.game.name, this.store.game.options);
    const same = this.store.versions.filter((one) => gameId(one.game, one.options) === id);
    if (same.length > 0) this.#open(same.sort((a, b) => b.id - a.id)[0]);
    else await this.#openStarter();
  }

  /** Put a version into the editor. The game becomes that of the version. */
  open(version) {
    const { name, options } = this.store.game;
    this.#open(version);
    if (gameId(version.game, version.options) !== gameId(name, options)) {
      sessionStorage.setItem(this.#draftKey(version), this.#draft());
      this.store.chooseGame(version.game, version.options);
    }
  }

  /** Keep what is in the editor for the next time this page is opened in this tab. */
  keepDraft() {
    sessionStorage.setItem(this.#draftKey(), this.#draft());
    const changed = this.current?.source !== this.editor.source;
    byId("unsaved").hidden = !changed;
  }

  /** Save what is in the editor, unless it is saved already; return the id of its version. */
  async save() {
    const { name: game, options } = this.store.game;
    const source = this.editor.source;
    const typed = this.name.value.trim();
    const note = this.note.value.trim();
    if (this.current?.source === source) {
      const name = typed || this.current.name;
      if (name !== this.current.name || note !== this.current.note) {
        await post(`/api/versions/${this.current.id}`, { name, note });
        Object.assign(this.current, { name, note });
        await this.store.loadVersions();
      }
      return this.current.id;
    }
    const name = typed === "" || typed === this.current?.name ? this.#nextName() : typed;
    const { id } = await post("/api/versions", { game, options, name, note, source });
    await this.store.loadVersions();
    this.#open(this.store.version(id));
    return id;
  }

  async #saveAndSay() {
    await this.save();
    say(t("editor.saved", { name: this.current.name }));
  }

  #nextName() {
    const names = new Set(this.store.versions.map(({ name }) => name));
    let number = names.size + 1;
    while (names.has(t("editor.default_name", { number }))) number += 1;
    return t("editor.default_name", { number });
  }

  #open(version, source = version.source) {
    this.current = version;
    this.name.value = version?.name ?? "";
    this.note.value = version?.note ?? "";
    if (this.editor.source !== source) this.editor.source = source;
    this.keepDraft();
  }

  async #openStarter() {
    const { name, options } = this.store.game;
    const { source } = await get(`/api/starter${gameQuery(name, options)}`);
    this.#open(null, source);
  }

  async #startOver() {
    const yes = await ask(t("editor.start_over_question"), t("editor.start_over"));
    if (yes) await attempt(() => this.#openStarter());
  }

  #draftKey({ game, options } = { game: this.store.game.name, options: this.store.game.options }) {
    return `draft ${this.store.student.id} ${gameId(game, options)}`;
  }

  #draft() {
    return JSON.stringify({ version: this.current?.id ?? null, source: this.editor.source });
  }

  #list() {
    const versions = [...this.store.versions].sort((a, b) => b.id - a.id);
    const items = versions.map((version) => this.#item(version, () => dialog.close()));
    const empty = h("p", { class: "quiet" }, t("versions.empty"));
    const list = items.length === 0 ? empty : h("ul", { class: "versions" }, ...items);
    const dialog = showDialog(t("versions.heading"), list);
  }

  #item(version, close) {
    const scores = [...this.store.runs.values()]
      .filter((run) => run.version === version.id && run.score !== null)
      .map(({ score }) => score);
    const best = Math.max(...scores);
    const score = scoreText(best, version.game, version.options);
    const open = () => {
      close();
      this.open(version);
    };
    const item = h(
      "li",
      {},
      h(
        "div",
        { class: "lines" },
        h("strong", {}, version.name),
        h("span", { class: version.note ? null : "quiet" }, version.note || t("versions.no_note")),
        h(
          "span",
          { class: "quiet" },
          [
            gameTitle(version.game, version.options),
            new Date(version.created * 1000).toLocaleString(page.lang, { timeStyle: "short" }),
            scores.length === 0 ? t("versions.untrained") : t("versions.best", { score }),
          ].join(" · "),
        ),
      ),
      button(t("versions.open"), { onclick: open }),
      h(
        "a",
        {
          class: "button quiet",
          href: `/api/versions/${version.id}/reward.py`,
          download: true,
          "aria-label": `${t("versions.download")}: ${version.name}`,
        },
        t("versions.download"),
      ),
      button(t("versions.delete"), {
        class: "quiet",
        iconName: "trash",
        label: false,
        onclick: () => this.#delete(version, item),
      }),
    );
    return item;
  }

  async #delete(version, item) {
    const question = t("versions.delete_question", { name: version.name });
    if (!(await ask(question, t("versions.delete")))) return;
    await attempt(async () => {
      await remove(`/api/versions/${version.id}`);
      item.remove();
      if (this.current?.id === version.id) this.current = null;
      await this.store.loadVersions();
    });
  }
}
