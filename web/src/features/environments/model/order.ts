/** The list with one item moved by a place; at the edges it stays. */
export function moved<T>(list: T[], at: number, by: 1 | -1): T[] {
  const [here, there] = [list[at], list[at + by]]
  if (here === undefined || there === undefined) return list
  return list.map((one, place) => (place === at ? there : place === at + by ? here : one))
}
