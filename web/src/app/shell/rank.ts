/**
 * Items whose text holds every word of the query, best first: a word at the beginning counts more than one at the
 * beginning of a word, and that more than one inside. Equal ones keep their order.
 */
export function rank<T>(items: T[], query: string, textOf: (item: T) => string): T[] {
  const words = query.toLowerCase().split(/\s+/).filter((word) => word !== '')
  if (words.length === 0) return items
  return items
    .map((item, order) => ({ item, order, score: score(textOf(item).toLowerCase(), words) }))
    .filter(({ score: value }) => value > 0)
    .sort((a, b) => b.score - a.score || a.order - b.order)
    .map(({ item }) => item)
}

function score(text: string, words: string[]): number {
  let sum = 0
  for (const word of words) {
    const at = text.indexOf(word)
    if (at < 0) return 0
    sum += at === 0 ? 4 : /[\s/.:_-]/.test(text.charAt(at - 1)) ? 2 : 1
  }
  return sum
}
