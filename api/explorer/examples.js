// Questions that the page offers, each only where the graph has all the relations it needs.

export const EXAMPLES = [
  {
    title: "Bordering a flag with a crescent, Arabic not spoken",
    needs: ["borders", "has_part", "has_label", "speaks"],
    query: `MATCH (c:Country)-[:borders]->(n:Country)-[:has_part]->(p:Part)-[:has_label]->(s:Shape {key: 'shape:crescent'})
WHERE NOT (c)-[:speaks]->(:Language {key: 'language:ara'})
RETURN c`,
  },
  {
    title: "Exporting to Germany and Italy",
    needs: ["exports_to"],
    query: `MATCH (c:Country)-[:exports_to]->(:Country {key: 'country:DE'})
MATCH (c)-[:exports_to]->(:Country {key: 'country:IT'})
RETURN c`,
  },
  {
    title: "Currencies of the neighbours of France",
    needs: ["uses_currency", "borders"],
    query: `MATCH (m:Currency)<-[:uses_currency]-(n:Country)
MATCH (n)-[:borders]->(:Country {key: 'country:FR'})
RETURN m`,
  },
  {
    title: "Where Arabic is spoken",
    needs: ["speaks"],
    query: `MATCH (c:Country)-[:speaks]->(:Language {key: 'language:ara'})
RETURN c`,
  },
];

export function examplesFor(relations) {
  const present = new Set(relations);
  return EXAMPLES.filter((example) => example.needs.every((relation) => present.has(relation)));
}
