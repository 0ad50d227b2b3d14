import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import { places } from './places'

type Overlay = 'none' | 'palette' | 'shortcuts'

/** Whether a key belongs to a field that is being written in. */
function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

/** Ctrl-K, "?", "/" and "g" followed by a place's letter. Letters only count outside fields and dialogs. */
export function useShortcuts(project: string, show: (overlay: Overlay) => void): void {
  const navigate = useNavigate()
  useEffect(() => {
    let goUntil = 0
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        show('palette')
        return
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector('[role=dialog]') !== null) return
      if (Date.now() < goUntil) {
        goUntil = 0
        const place = places.find(({ key }) => key === event.key)
        if (place !== undefined) void navigate({ to: place.to, params: { project } })
        return
      }
      if (event.key === 'g') goUntil = Date.now() + 1500
      else if (event.key === '?') show('shortcuts')
      else if (event.key === '/') {
        const field = document.querySelector<HTMLElement>('main [role=searchbox], main input[type=search]')
        if (field === null) return
        event.preventDefault()
        field.focus()
      }
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [navigate, project, show])
}
