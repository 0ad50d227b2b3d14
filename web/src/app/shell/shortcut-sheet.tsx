import { Dialog, DialogBody, DialogContent, DialogSurface, DialogTitle } from '@fluentui/react-components'
import { useFocusBack } from '@/lib/focus-back'
import { places } from './places'
import styles from './palette.module.css'

const rows: [string, string][] = [
  ['Ctrl K', 'Search or jump'], ['/', 'Search in the page'], ...places.map(({ key, name }): [string, string] => [`g ${key}`, `Go to ${name}`]),
  ['Arrow keys, Home, End', 'Move in the matrix'], ['Enter', 'Open what has the focus'], ['Enter, Shift Enter', 'Next and previous match in a log'], [': and a number', 'Go to that line of a log'], ['Esc', 'Close'], ['?', 'This sheet'],
]

export function ShortcutSheet({ onClose }: { onClose: () => void }) {
  useFocusBack()
  return (
    <Dialog open onOpenChange={(_, { open }) => { if (!open) onClose() }}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>Keyboard</DialogTitle>
          <DialogContent>
            <dl className={styles.sheet}>
              {rows.map(([key, meaning]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{meaning}</dd></div>)}
            </dl>
          </DialogContent>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  )
}
