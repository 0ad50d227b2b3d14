import { describe, expect, it } from 'vitest'
import { pausesText, ticks, tickText, timeScale } from './time-scale'

describe('the time axis', () => {
  it('is to scale while something runs', () => {
    const scale = timeScale([[0, 40], [40, 100]], 0, 100)
    expect([scale.place(0), scale.place(25), scale.place(100), scale.pauses]).toEqual([0, 0.25, 1, []])
  })
  it('cuts a long pause short', () => {
    const scale = timeScale([[0, 100], [10_100, 10_200]], 0, 10_200)
    expect(scale.pauses).toEqual([{ from: 100, to: 10_100 }])
    expect(scale.place(100)).toBeCloseTo(100 / 212)
    expect(scale.place(10_100)).toBeCloseTo(112 / 212)
    expect(scale.time(scale.place(10_150))).toBeCloseTo(10_150)
  })
  it('takes overlapping work in any order', () => expect(timeScale([[50, 100], [0, 60]], 0, 100).pauses).toEqual([]))
  it('keeps moments outside inside', () => {
    const scale = timeScale([[0, 10]], 0, 10)
    expect([scale.place(-5), scale.place(50)]).toEqual([0, 1])
  })
  it.each([
    [[{ from: 0, to: 60_000 }], 'Nothing ran for 1m00s: drawn shorter.'],
    [[{ from: 0, to: 60_000 }, { from: 70_000, to: 75_000 }], 'In 2 pauses nothing ran, for 1m05s in all: drawn shorter.'],
  ])('says what it cut: %j', (pauses, text) => expect(pausesText(pauses)).toBe(text))
  it.each([[0, '0s'], [0.2, '0s'], [41.7, '42 ms'], [949, '949 ms'], [950, '0.9s'], [2500, '2.5s'], [90_000, '1m30s']])('a mark after %d ms says %s', (ms, text) => expect(tickText(ms)).toBe(text))
  it('writes the same mark once', () => {
    const texts = (time: (part: number) => number) => ticks({ time }, 1000).map(({ part, text }) => [part, text])
    expect(texts((part) => 1000 + 40_000 * part)).toEqual([[0, '0s'], [0.25, '10s'], [0.5, '20s'], [0.75, '30s']])
    expect(texts((part) => (part === 0 ? 1000 : 90_000 + part))).toEqual([[0, '0s'], [0.25, '1m29s']])
  })
  it('of nothing is calm', () => expect(timeScale([], 0, 10).place(5)).toBe(0.5))
})
