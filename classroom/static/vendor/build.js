// Bundle the libraries of package.json into one file each, and collect their licences:
//
//     npm ci && npm run build
//
// Writes codemirror.js, uplot.js, uplot.css and licences.txt into this folder.

import { build } from "esbuild";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";

const { metafile } = await build({
  entryPoints: { codemirror: "codemirror.entry.js", uplot: "uplot" },
  outdir: ".",
  bundle: true,
  format: "esm",
  minify: true,
  legalComments: "none",
  metafile: true,
});
copyFileSync("node_modules/uplot/dist/uPlot.min.css", "uplot.css");

const folders = Object.keys(metafile.inputs)
  .map((path) => path.match(/^node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0])
  .filter((folder) => folder !== undefined);
const licences = [...new Set(folders)].sort().map((folder) => {
  const { name, version } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  return `${name} ${version}\n\n${readFileSync(`${folder}/LICENSE`, "utf8").trim()}\n`;
});
writeFileSync("licences.txt", licences.join(`\n${"-".repeat(72)}\n\n`));
