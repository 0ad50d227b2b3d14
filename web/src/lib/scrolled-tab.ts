import { useEffect, useRef, type RefObject } from 'react'

/** For a list of tabs that may be wider than the page: the chosen one is scrolled into view. */
export function useScrolledTab(chosen: string): RefObject<HTMLDivElement> {
  const list = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const [box, tab] = [list.current, list.current?.querySelector<HTMLElement>('[aria-selected=true]')]
    if (box === null || tab === null || tab === undefined) return
    const { left, right } = tab.getBoundingClientRect()
    const frame = box.getBoundingClientRect()
    if (left < frame.left || right > frame.right) box.scrollLeft += left - frame.left - 24
  }, [chosen])
  return list
}
