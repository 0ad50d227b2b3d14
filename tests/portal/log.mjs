#!/usr/bin/env node
// A log of 100,000 lines in a real browser: few elements whatever its length, the end, the middle and any search are reachable, folding
// works, and a line can be linked to. Fed by the mock scenario; `web` must have been built. Ends with status 0 when all held.
import { launch } from './browser.mjs'
import { startPreview } from './preview.mjs'

const { base, stop } = await startPreview()
const browser = await launch()
const must = (condition, message) => { if (!condition) throw new Error(message) }
const lineNumbers = (page) => page.locator('[role=log] button[aria-label^="Line "]').evaluateAll((list) => list.map((one) => Number(one.textContent)))
const elements = (page) => page.locator('[role=log] *').count()
let status = 0
try {
  await fetch(`${base}/_mock/usual`)
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  page.setDefaultTimeout(30_000)
  await page.goto(`${base}/space-game/runs/1869?stage=Build`)
  await page.getByRole('link', { name: 'Build and push web' }).click()
  const log = page.getByRole('log')
  await page.getByText('Starting: Build and push web').waitFor()

  const worst = await page.evaluate(async () => {
    const element = document.querySelector('[role=log]')
    let longest = 0
    let most = 0
    for (let at = 0; at < 120; at += 1) {
      const start = performance.now()
      element.scrollTop = (element.scrollHeight * at) / 120
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
      longest = Math.max(longest, performance.now() - start)
      most = Math.max(most, element.querySelectorAll('*').length)
    }
    return { longest, most }
  })
  must(worst.most < 800, `${worst.most} elements while scrolling`)
  console.log(`ok  scrolled through 100,000 lines: at most ${worst.most} elements, longest step ${worst.longest.toFixed(0)} ms (two frames)`)

  await log.evaluate((element) => { element.scrollTop = element.scrollHeight })
  await page.getByRole('button', { name: 'Line 100000', exact: true }).waitFor()
  console.log('ok  the end is there')

  await page.getByRole('searchbox').fill('coloured text')
  await page.getByText('100 found').waitFor()
  await page.getByRole('searchbox').press('Enter')
  await page.getByText('1/100').waitFor()
  const shown = await lineNumbers(page)
  must(shown.includes(998), `the first match is line 998, on the screen are ${shown[0]} to ${shown.at(-1)}`)
  console.log('ok  a search covers the whole log and leads to the match')

  await page.goto(`${page.url().split('&line=')[0]}&line=50000-50002`)
  await page.getByRole('button', { name: 'Line 50001', exact: true }).waitFor()
  must((await page.locator('[data-selected] button[aria-pressed=true]').count()) === 3, 'three lines are selected')
  must((await elements(page)) < 800, 'few elements at a linked line')
  console.log('ok  a link leads to its lines')

  await log.evaluate((element) => { element.scrollTop = 0 })
  const group = page.getByRole('button', { name: /Sign in to the registry/ })
  must((await group.getAttribute('aria-expanded')) === 'false', 'a finished group without an error starts folded')
  await group.click()
  await page.getByText('Login Succeeded').waitFor()
  await group.click()
  await page.getByText('Login Succeeded').waitFor({ state: 'detached' })
  console.log('ok  groups unfold and fold')
} catch (error) {
  console.error(`not ok  ${error.message}`)
  status = 1
} finally {
  await browser.close()
  stop()
}
process.exitCode = status
