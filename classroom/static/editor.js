// The editor: Python with completion of the state's fields, and mistakes underlined.

import {
  autocompletion,
  bracketMatching,
  classHighlighter,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  defaultKeymap,
  drawSelection,
  EditorState,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  history,
  historyKeymap,
  indentUnit,
  indentWithTab,
  keymap,
  lineNumbers,
  lintGutter,
  lintKeymap,
  python,
  setDiagnostics,
  syntaxHighlighting,
} from "codemirror";

import { nonce } from "./page.js";

const KEYWORDS = "def return if elif else for in and or not import from math True False";

export class Editor {
  /** Completions of the chosen game: [{label, detail, info}]. */
  completions = [];

  /**
   * @param {HTMLElement} parent
   * @param {{label: string, hint: string, onChange: () => void, onTrain: () => void}} options
   */
  constructor(parent, { label, hint, onChange, onTrain }) {
    const train = { key: "Mod-Enter", run: () => (onTrain(), true) };
    const keys = [...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...historyKeymap];
    this.view = new EditorView({
      parent,
      extensions: [
        EditorView.cspNonce.of(nonce),
        EditorView.contentAttributes.of({ "aria-label": label, "aria-description": hint }),
        EditorView.updateListener.of((update) => update.docChanged && onChange()),
        lineNumbers(),
        lintGutter(),
        history(),
        drawSelection(),
        EditorView.lineWrapping,
        indentUnit.of("    "),
        EditorState.tabSize.of(4),
        python(),
        syntaxHighlighting(classHighlighter),
        bracketMatching(),
        closeBrackets(),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        autocompletion({ override: [(context) => this.#complete(context)], icons: false }),
        keymap.of([train, ...keys, ...defaultKeymap, indentWithTab]),
      ],
    });
  }

  get source() {
    return this.view.state.doc.toString();
  }

  set source(text) {
    this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text } });
  }

  /** Underline problems: [{line, column, end_line, end_column, message, severity}], from 1. */
  underline(problems) {
    const diagnostics = problems
      .filter(({ line }) => line !== null)
      .map((problem) => {
        const from = this.#position(problem.line, problem.column);
        const to = this.#position(problem.end_line ?? problem.line, problem.end_column);
        const { message, severity } = problem;
        return { from, to: Math.max(to, from), message, severity };
      });
    this.view.dispatch(setDiagnostics(this.view.state, diagnostics));
  }

  /** Put the cursor at a line, and show it. */
  goTo(line) {
    const anchor = this.#position(line, 0);
    this.view.dispatch({ selection: { anchor }, scrollIntoView: true });
    this.view.focus();
  }

  #position(line, column) {
    const { doc } = this.view.state;
    const { from, to } = doc.line(Math.min(Math.max(line, 1), doc.lines));
    return column === null || column === undefined ? to : Math.min(from + column, to);
  }

  #complete(context) {
    const word = context.matchBefore(/[A-Za-z_][\w.]*/);
    if (word === null || (word.from === word.to && !context.explicit)) return null;
    const before = this.view.state.doc.sliceString(0, word.from);
    const own = new Set(before.match(/\b[A-Za-z_]\w*(?=\s*(?:=|\())/g) ?? []);
    const names = [...new Set([...own, ...KEYWORDS.split(" ")])];
    const options = [...this.completions, ...names.map((label) => ({ label, boost: -1 }))];
    return { from: word.from, options, validFor: /^[\w.]*$/ };
  }
}
