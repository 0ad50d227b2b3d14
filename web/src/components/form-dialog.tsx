import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle } from '@fluentui/react-components'
import type { ReactNode } from 'react'
import { focusFirstProblem } from '@/lib/first-problem'
import { useFocusBack } from '@/lib/focus-back'
import { ErrorPanel } from './error-panel'
import styles from './form-dialog.module.css'

interface FormDialogProps {
  title: string
  /** The verb on the button. */
  submit: string
  /** Completes "Could not ..." when it fails. */
  doing: string
  busy: boolean
  error: Error | null
  onSubmit: () => void
  onClose: () => void
  wide?: boolean
  /** What is shown in the form's place once it was sent, for example a secret that is shown once. */
  outcome?: { title: string; content: ReactNode } | undefined
  children: ReactNode
}

/**
 * A form in a dialog. A click beside it does not throw away what was typed; Escape and Cancel do. The outcome
 * takes the form's place in the same dialog: of two dialogs that follow each other at once, the second can stay
 * hidden from assistive technology.
 */
export function FormDialog({ title, submit, doing, busy, error, onSubmit, onClose, wide, outcome, children }: FormDialogProps) {
  useFocusBack()
  return (
    <Dialog open onOpenChange={(_, { open, type }) => { if (!open && type !== 'backdropClick') onClose() }}>
      <DialogSurface className={styles.surface} data-wide={wide || undefined}>
        {outcome !== undefined ? (
          <DialogBody>
            <DialogTitle>{outcome.title}</DialogTitle>
            <DialogContent className={styles.content}>{outcome.content}</DialogContent>
            <DialogActions><Button appearance="primary" autoFocus onClick={onClose}>Done</Button></DialogActions>
          </DialogBody>
        ) : <form noValidate autoComplete="off" onSubmit={(event) => {
          event.preventDefault()
          if (!busy) onSubmit()
          focusFirstProblem(event.currentTarget)
        }}>
          <DialogBody>
            <DialogTitle>{title}</DialogTitle>
            <DialogContent className={styles.content}>
              {children}
              {error !== null && <ErrorPanel error={error} doing={doing} />}
            </DialogContent>
            <DialogActions>
              <Button type="button" onClick={onClose}>Cancel</Button>
              <Button type="submit" appearance="primary" disabled={busy}>{submit}</Button>
            </DialogActions>
          </DialogBody>
        </form>}
      </DialogSurface>
    </Dialog>
  )
}
