import type { VariableGroup } from '@/api/types'
import { Copyable } from '@/components/copyable'
import { RowActions } from '@/components/row-actions'
import { plural } from '@/lib/format'
import styles from './groups.module.css'

interface GroupsProps {
  groups: VariableGroup[]
  /** Absent: the reader may not change them. */
  onEdit?: (group: VariableGroup) => void
  onRemove?: (group: VariableGroup) => void
}

/** Variable groups with their values. A secret's value never leaves the server: the page can only say that there is one. */
export function Groups({ groups, onEdit, onRemove }: GroupsProps) {
  return (
    <div>
      {groups.map((group) => {
        const variables = Object.entries(group.variables)
        return (
          <section key={group.id} className={styles.group} aria-label={group.name}>
            <details open={groups.length <= 3}>
              <summary><strong>{group.name}</strong> <span className={styles.about}>{plural(variables.length, 'variable')}{group.description !== undefined && group.description !== '' && ` · ${group.description}`}</span></summary>
              <dl className={styles.values}>
                {variables.map(([name, variable]) => (
                  <div key={name}>
                    <dt><code>{name}</code></dt>
                    <dd>{variable.isSecret === true ? <span className={styles.secret}><span aria-hidden className="mono">******** </span>secret, not shown</span> : variable.value === '' || variable.value === null || variable.value === undefined ? <span className={styles.secret}>empty</span> : <Copyable value={variable.value} label={variable.value} noun="value" />}</dd>
                  </div>
                ))}
              </dl>
            </details>
            {onEdit !== undefined && <span className={styles.actions}><RowActions name={group.name} onEdit={() => onEdit(group)} onRemove={() => onRemove?.(group)} /></span>}
          </section>
        )
      })}
    </div>
  )
}
