import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle } from '@fluentui/react-components'
import type { ReactNode } from 'react'
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
  children: ReactNode
}

/** A form in a dialog. A click beside it does not throw away what was typed; Escape and Cancel do. */
export function FormDialog({ title, submit, doing, busy, error, onSubmit, onClose, wide, children }: FormDialogProps) {
  return (
    <Dialog open onOpenChange={(_, { open, type }) => { if (!open && type !== 'backdropClick') onClose() }}>
      <DialogSurface className={styles.surface} data-wide={wide || undefined}>
        <form noValidate autoComplete="off" onSubmit={(event) => {
          event.preventDefault()
          if (!busy) onSubmit()
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
        </form>
      </DialogSurface>
    </Dialog>
  )
}
