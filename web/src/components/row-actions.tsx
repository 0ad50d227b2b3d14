import { Button } from '@fluentui/react-components'
import { Delete16Regular, Edit16Regular } from '@fluentui/react-icons'
import styles from './row-actions.module.css'

interface RowActionsProps {
  /** What the row is about, for the names of the buttons. */
  name: string
  onEdit?: () => void
  onRemove?: () => void
  removeVerb?: string
}

/** What can be done with a row, at its end. */
export function RowActions({ name, onEdit, onRemove, removeVerb = 'Delete' }: RowActionsProps) {
  return (
    <span className={styles.actions}>
      {onEdit !== undefined && <Button size="small" appearance="subtle" icon={<Edit16Regular />} aria-label={`Edit ${name}`} title={`Edit ${name}`} onClick={onEdit} />}
      {onRemove !== undefined && <Button size="small" appearance="subtle" icon={<Delete16Regular />} aria-label={`${removeVerb} ${name}`} title={`${removeVerb} ${name}`} onClick={onRemove} />}
    </span>
  )
}
