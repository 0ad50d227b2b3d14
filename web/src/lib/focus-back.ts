import { useEffect, useState } from 'react'

/**
 * For dialogs that are drawn only while they are open: what had the focus before has it again when the dialog is gone. When that is gone as well (the
 * row that was deleted, the page that was left), the page's content takes it, so that the next Tab does not begin at the top of the window.
 */
export function useFocusBack(): void {
  const [opener] = useState(() => document.activeElement)
  useEffect(() => () => {
    // A frame later the dialog has left the page; whoever has taken the focus by then keeps it.
    requestAnimationFrame(() => {
      if (document.activeElement !== null && document.activeElement !== document.body) return
      const target = opener instanceof HTMLElement && opener.isConnected && opener !== document.body ? opener : document.getElementById('content')
      target?.focus({ preventScroll: true })
    })
  }, [opener])
}
