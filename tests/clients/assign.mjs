// Which arm GrowthBook's SDK gives: reads {experiment, units}, writes one place (or null) per unit.
import { readFileSync } from "node:fs";
import { GrowthBook } from "@growthbook/growthbook";

const { experiment, units } = JSON.parse(readFileSync(0, "utf8"));
const places = units.map((id) => {
  const { inExperiment, variationId } = new GrowthBook({ attributes: { id } }).run(experiment);
  return inExperiment ? variationId : null;
});
process.stdout.write(JSON.stringify(places));
