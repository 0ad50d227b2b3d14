#!/usr/bin/env node
// A log of 100,000 lines in a real browser, while a step writes it: few elements whatever its length, the view follows the end until
// the reader looks elsewhere, any line can be reached, searched and linked to, colours are shown, groups fold.
//
// Environment: SLIPWAY_URL, SLIPWAY_SIGN_IN, SLIPWAY_PROJECT, SLIPWAY_RUN (a run whose only step writes the log that
// tests/e2e/test_portal.py describes) and SLIPWAY_GO (a path: the step goes on when the file PATH.1, then PATH.2, is there).
// Ends with status 0 when all held.
import { writeFileSync } from 'node:fs'
import { runPage } from './on-page.mjs'
import { environment, eventually, must, signedIn } from './signed-in.mjs'

const [project, run, go] = environment('SLIPWAY_PROJECT', 'SLIPWAY_RUN', 'SLIPWAY_GO')
/** However long the log, at most this many elements: what fits on the screen and some lines above and below. */
const mostElements = 800

await signedIn(async ({ page, base, step, look }) => {
  const { log, runReaches } = runPage(page)
  const search = page.getByRole('searchbox')
  const follow = page.getByRole('button', { name: 'Follow', exact: true })
  const line = (number) => page.getByRole('button', { name: `Line ${number}`, exact: true })
  const rowOf = (number) => page.locator('[data-kind]').filter({ has: line(number) })
  const shown = () => log.locator('button[aria-label^="Line "]').evaluateAll((list) => list.map((one) => Number(one.textContent)))
  /** Waits until it is so; what a click or a key leads to comes when the page has drawn it. */
  const becomes = (read, accept, what) => eventually(page, read, accept, (value) => `${what}: ${JSON.stringify(value)}`)
  const yes = (value) => value === true
  const pressed = (button) => button.getAttribute('aria-pressed')
  const elements = () => log.locator('*').count()
  const few = async (where) => {
    const count = await elements()
    must(count < mostElements, `${count} elements ${where}`)
  }
  /** Whether the last line on the screen is the last there is. */
  const atEnd = () => log.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight < 60)

  await step('the log shows while the step runs, and follows the end', async () => {
    await page.goto(`${base}/${project}/runs/${run}`)
    await page.getByText('waiting for the first file').waitFor()
    await becomes(() => pressed(follow), (value) => value === 'true', 'following is on')
    writeFileSync(`${go}.1`, '')
    await page.getByText('waiting for the second file').waitFor()
    await becomes(atEnd, yes, 'the view stays at the end while lines come')
    await few('while following')
  })
  await step('who scrolls up is left in peace, and told of new lines', async () => {
    await log.hover()
    await page.mouse.wheel(0, -3000)
    await page.waitForFunction(() => document.querySelector('[role=log]').scrollHeight - document.querySelector('[role=log]').scrollTop > 2000)
    await page.locator('button[aria-pressed=false]').filter({ hasText: 'Follow' }).waitFor()
    // The wheel turns smoothly: what is on the screen counts once it has come to rest.
    let last
    const before = await becomes(shown, (now) => {
      const rests = JSON.stringify(now) === JSON.stringify(last)
      last = now
      return rests
    }, 'the view comes to rest')
    writeFileSync(`${go}.2`, '')
    const more = page.getByRole('button', { name: /^\d+ new lines$/ })
    await more.waitFor()
    must(JSON.stringify(await shown()) === JSON.stringify(before), 'the lines on the screen have not moved')
    await more.click()
    await more.waitFor({ state: 'detached' })
    await becomes(atEnd, yes, 'one click leads to the end')
  })
  await step('the end of the finished log is there', async () => {
    await runReaches('succeeded')
    await log.evaluate((element) => { element.scrollTop = element.scrollHeight })
    await page.getByText('the last of the lines', { exact: true }).waitFor()
    await few('at the end')
  })
  await step('scrolling through all of it draws few elements, and the right lines', async () => {
    await log.evaluate((element) => { element.scrollTop = 0 })
    await line(1).waitFor()
    const places = await page.evaluate(async () => {
      const element = document.querySelector('[role=log]')
      const list = []
      for (let at = 0; at < 60; at += 1) {
        element.scrollTop = (element.scrollHeight * at) / 60
        const read = () => [...element.querySelectorAll('button[aria-label^="Line "]')].map((one) => Number(one.textContent))
        // Drawn once a line of this place stands there; a place that never is drawn shows as one that is not later.
        let rows = read()
        for (let frame = 0; frame < 300 && !((rows[0] ?? 0) > (list.at(-1)?.first ?? 0)); frame += 1) {
          await new Promise((resolve) => requestAnimationFrame(resolve))
          rows = read()
        }
        list.push({ elements: element.querySelectorAll('*').length, first: rows[0], last: rows.at(-1), ascending: rows.every((row, index) => index === 0 || row > rows[index - 1]) })
      }
      return list
    })
    must(places.every((one) => one.elements < mostElements), `at most ${Math.max(...places.map((one) => one.elements))} elements`)
    must(places.every((one) => one.ascending), 'lines stand in order')
    must(places.every((one, at) => at === 0 || one.first > places[at - 1].first), `each place shows later lines than the one before: they begin with ${places.map((one) => one.first).join(' ')}`)
  })
  await step('a number leads to its line', async () => {
    await search.fill(':50000')
    await search.press('Enter')
    await line(50000).waitFor()
    await becomes(() => pressed(line(50000)), (value) => value === 'true', 'the line is selected')
    await page.waitForURL((url) => url.searchParams.get('line') === '50000')
    await few('in the middle')
  })
  await step('a search covers the whole log and leads from match to match', async () => {
    await search.fill('needle')
    await page.getByText('100 found', { exact: true }).waitFor()
    await search.press('Enter')
    await page.getByText('1/100', { exact: true }).waitFor()
    await page.locator('mark').first().waitFor()
    await search.press('Shift+Enter')
    await page.getByText('100/100', { exact: true }).waitFor()
    await becomes(shown, (numbers) => numbers.some((number) => number > 99_900), 'the last match is near the end, on the screen are')
    await search.fill('/needle [0-9]*7000$/')
    await page.getByText('10 found', { exact: true }).waitFor()
    await search.fill('/(/')
    await page.getByText('Not a valid pattern').waitFor()
    await search.fill('')
  })
  await step('colours are shown, in both themes readable', async () => {
    await search.fill(':1')
    await search.press('Enter')
    await line(1).waitFor()
    await search.fill('needle 1000')
    await page.getByText('3 found', { exact: true }).waitFor()
    await search.press('Enter')
    const colours = async () => {
      const row = log.locator('[data-current]').first()
      await row.waitFor()
      const of = (text) => row.getByText(text, { exact: true }).evaluate((one) => [getComputedStyle(one).color, getComputedStyle(one).fontWeight])
      const [red, green, orange] = [await of('red'), await of('green'), await of('orange')]
      must(new Set([red[0], green[0], orange[0]]).size === 3, `three colours: ${red[0]}, ${green[0]}, ${orange[0]}`)
      must(red[1] === '600', `bold has weight ${red[1]}`)
      return red[0]
    }
    const light = await colours()
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.waitForFunction(() => document.documentElement.dataset.theme === 'dark')
    await becomes(colours, (red) => red !== light, 'the dark theme has its own red')
    await look('log')
    must((await log.textContent()).includes('\u001b') === false, 'no escape sequence reaches the page')
    await search.fill('')
  })
  await step('a link leads to its lines', async () => {
    const address = new URL(page.url())
    address.searchParams.set('line', '70000-70002')
    await page.goto(address.href)
    await line(70001).waitFor()
    await becomes(() => page.locator('[data-selected] button[aria-pressed=true]').count(), (count) => count === 3, 'three lines are selected')
    await few('at a linked line')
    await rowOf(70001).getByText('of the long log').waitFor()
  })
  await step('groups unfold and fold', async () => {
    await log.evaluate((element) => { element.scrollTop = 0 })
    const group = page.getByRole('button', { name: /Preparing/ })
    await group.waitFor()
    await becomes(() => group.getAttribute('aria-expanded'), (value) => value === 'false', 'a finished group without an error starts folded')
    await group.click()
    await page.getByText('prepared the second thing').waitFor()
    await group.click()
    await page.getByText('prepared the second thing').waitFor({ state: 'detached' })
  })
})
