/**
 * Whether an error says that a part of the portal could not be fetched, and not that it failed: parts are fetched when they are needed, and by then
 * the server may be away, or may have become another version with other parts. The words are those of browsers and of the bundler.
 */
export const isLostPart = (error: Error): boolean => /preload CSS|dynamically imported module|importing a module script/i.test(error.message)

/** Asks every `pauseMs` until `isUp` says yes, then calls `then`, once. Answers how to stop asking. */
export function whenUp(isUp: () => Promise<boolean>, then: () => void, pauseMs: number): () => void {
  let stopped = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const ask = async () => {
    const up = await isUp().catch(() => false)
    if (stopped) return
    if (up) then()
    else timer = setTimeout(() => void ask(), pauseMs)
  }
  void ask()
  return () => {
    stopped = true
    clearTimeout(timer)
  }
}

const mark = 'slipway.loaded-anew'

/** Loads the page anew once the server answers; not twice within half a minute, should the part be missing for good. */
export function reloadWhenUp(): () => void {
  const isUp = async () => (await fetch('/healthz', { cache: 'no-store' })).ok && Date.now() - Number(window.sessionStorage.getItem(mark) ?? 0) > 30_000
  return whenUp(isUp, () => {
    window.sessionStorage.setItem(mark, String(Date.now()))
    window.location.reload()
  }, 2000)
}
