import { useState } from 'react'

/**
 * A list that does not jump under the reader's hand: items that arrive at the top after the first showing are counted
 * and wait until they are asked for. Changes of items already shown come through at once.
 */
export function useHeldBack<T extends { id: number }>(items: T[]): { shown: T[]; held: number; show: () => void } {
  const newest = items[0]?.id
  const [top, setTop] = useState(newest)
  if (top === undefined && newest !== undefined) setTop(newest)
  const at = top === undefined ? 0 : items.findIndex((item) => item.id <= top)
  const held = at < 0 ? items.length : at
  return { shown: items.slice(held), held, show: () => setTop(newest) }
}
