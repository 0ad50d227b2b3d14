// The keyboard alone: which places the Tab key reaches, and whether each shows that it has the focus.
import { must } from './signed-in.mjs'

/** What a person may act on, where the page shows it. */
const actable = 'a[href], button, input, select, textarea, summary'

/** Runs in the page: notes how everything that can have the focus looks without it. */
function begin() {
  const looks = (element) => {
    const around = [element, element.parentElement, element.parentElement?.parentElement, element.closest('tr'), element.nextElementSibling]
    return JSON.stringify(around.map((one) => one === null || one === undefined ? '' : [undefined, '::before', '::after'].map((pseudo) => {
      const style = getComputedStyle(one, pseudo)
      return [style.outline, style.boxShadow, style.border, style.backgroundColor, style.transform, style.opacity, style.color, style.textDecoration]
    })))
  }
  const before = new Map([...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')].filter((one) => one !== document.activeElement).map((one) => [one, looks(one)]))
  window.walk = { looks, before, seen: new Set() }
}

/** Runs in the page: where the focus is now; `end` when it has been there, or left the page. */
function stop() {
  const { looks, before, seen } = window.walk
  const one = document.activeElement
  if (one === null || one === document.body || seen.has(one)) return { end: true }
  seen.add(one)
  return { end: false, name: `<${one.tagName.toLowerCase()}> ${one.getAttribute('aria-label') ?? one.textContent.trim().slice(0, 60)}`, invisible: one.closest('[data-tabster-dummy]') === null && before.has(one) && before.get(one) === looks(one) }
}

/**
 * Walks with Tab through the page or the dialog that is open until a place comes again; of more than `most` places it sees that many. Throws when a
 * place does not show that it has the focus, and when something that one can act on is left out: not reached, and in no group that the arrow keys move
 * in (tabs, grids, menus, radio buttons), which is entered as one. Answers how many places there are.
 */
export async function walk(page, where, most = 150) {
  await page.evaluate(begin)
  const places = []
  let whole = false
  for (let at = 0; at < most && !whole; at += 1) {
    await page.keyboard.press('Tab')
    const place = await page.evaluate(stop)
    // The first Tab may lead out of the browser's own parts.
    if (place.end && at > 0) whole = true
    else if (!place.end) places.push(place)
  }
  const invisible = places.filter((one) => one.invisible).map((one) => one.name)
  must(invisible.length === 0, `${where}: the focus does not show at ${invisible.join('; ')}`)
  const missed = await page.evaluate(([selector, all]) => {
    // The link that skips to the content shows over the bar while it has the focus.
    if (document.activeElement?.closest('[role=dialog]') === null) document.activeElement.blur()
    if (!all) return []

    const root = document.querySelector('[role=dialog], [role=alertdialog]') ?? document
    const grouped = '[role=tablist], [role=grid], [role=menu], [role=radiogroup], [role=listbox], [role=log], [aria-hidden=true]'
    return [...root.querySelectorAll(selector)]
      .filter((one) => !window.walk.seen.has(one) && !one.disabled && one.closest(grouped) === null && one.type !== 'radio' && one.checkVisibility({ checkVisibilityCSS: true }))
      .map((one) => `<${one.tagName.toLowerCase()}> ${one.getAttribute('aria-label') ?? one.textContent.trim().slice(0, 60)}`)
  }, [actable, whole])
  must(missed.length === 0, `${where}: the Tab key does not reach ${missed.slice(0, 5).join('; ')}`)
  return places.length
}
