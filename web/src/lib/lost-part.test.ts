import { expect, it } from 'vitest'
import { isLostPart, whenUp } from './lost-part'

it.each([
  ['Unable to preload CSS for /assets/library.css', true], ['Failed to fetch dynamically imported module: http://a/b.js', true],
  ['error loading dynamically imported module: http://a/b.js', true], ['Importing a module script failed.', true], ['x is not a function', false],
])('%s: %s', (message, lost) => expect(isLostPart(new Error(message))).toBe(lost))

it('waits until the server answers', async () => {
  const answers = [() => Promise.reject(new Error('away')), () => Promise.resolve(false), () => Promise.resolve(true)]
  let asked = 0
  await new Promise<void>((resolve) => { whenUp(() => answers[asked++]!(), resolve, 1) })
  expect(asked).toBe(3)
})

it('asks no more when nobody waits', async () => {
  let answer: (up: boolean) => void = () => undefined
  const first = new Promise<boolean>((resolve) => { answer = resolve })
  let called = false
  whenUp(() => first, () => { called = true }, 1)()
  answer(true)
  await first
  expect(called).toBe(false)
})
