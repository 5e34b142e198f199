// Prints what a reader of JavaScript finds in each file of a folder, as JSON. What `--env-file`
// reads with, node shows as parseEnv.
const fs = require("node:fs");
const path = require("node:path");

const [reader, folder] = process.argv.slice(2);
const parse = reader === "node" ? require("node:util").parseEnv : require(reader).parse;
const files = fs.readdirSync(folder).map((file) => {
  const text = fs.readFileSync(path.join(folder, file), "utf8");
  return [file, { ...parse(text) }];
});
console.log(JSON.stringify(Object.fromEntries(files)));
