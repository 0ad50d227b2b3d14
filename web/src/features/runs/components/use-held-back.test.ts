import { act, renderHook } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import { useHeldBack } from './use-held-back'

const ids = (...list: number[]) => list.map((id) => ({ id }))

describe('a list that does not jump', () => {
  it('holds new items back until they are asked for', () => {
    const { result, rerender } = renderHook(({ items }) => useHeldBack(items), { initialProps: { items: ids(3, 2, 1) } })
    rerender({ items: ids(5, 4, 3, 2, 1) })
    expect([result.current.held, result.current.shown.map(({ id }) => id)]).toEqual([2, [3, 2, 1]])
    act(() => result.current.show())
    expect([result.current.held, result.current.shown.map(({ id }) => id)]).toEqual([0, [5, 4, 3, 2, 1]])
  })
  it('shows what comes into an empty list', () => {
    const { result, rerender } = renderHook(({ items }) => useHeldBack(items), { initialProps: { items: ids() } })
    rerender({ items: ids(1) })
    expect(result.current.shown).toHaveLength(1)
  })
  it('shows older items that are loaded below', () => {
    const { result, rerender } = renderHook(({ items }) => useHeldBack(items), { initialProps: { items: ids(3) } })
    rerender({ items: ids(3, 2, 1) })
    expect([result.current.held, result.current.shown.length]).toEqual([0, 3])
  })
})
