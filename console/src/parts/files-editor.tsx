import {
  ActionIcon,
  Box,
  Button,
  Group,
  NavLink,
  Popover,
  Stack,
  TextInput,
  Tooltip,
} from "@mantine/core";
import { FilePlus, FileText, Trash2 } from "lucide-react";
import { useState } from "react";
import { problemOfPath } from "../code/package-text.ts";
import { visibleText } from "../format/visible-text.ts";
import { CodeEditor } from "./code-editor.tsx";
import classes from "./files-editor.module.css";

export interface FilesEditorProps {
  files: Record<string, string>;
  /** Left out: they are only shown. */
  onChange?(files: Record<string, string>): void;
}

/** The files of a package, and an editor for the one that is chosen. */
export function FilesEditor({ files, onChange }: FilesEditorProps) {
  const paths = Object.keys(files).sort();
  const [chosen, setChosen] = useState<string | null>(null);
  const path = chosen !== null && chosen in files ? chosen : (paths[0] ?? null);
  const remove = (gone: string) => {
    const { [gone]: _, ...rest } = files;
    onChange?.(rest);
  };
  return (
    <div className={classes.editor}>
      <Stack gap={4} component="nav" aria-label="Files">
        {paths.map((each) => (
          <NavLink
            key={each}
            component="button"
            label={visibleText(each)}
            active={each === path}
            leftSection={<FileText size={15} aria-hidden />}
            onClick={() => setChosen(each)}
            classNames={{ label: classes.path }}
          />
        ))}
        {onChange !== undefined && (
          <Group gap="xs" mt={4}>
            <NewFile
              taken={paths}
              onAdd={(added) => {
                onChange({ ...files, [added]: "" });
                setChosen(added);
              }}
            />
            {path !== null && paths.length > 1 && (
              <Tooltip label={`Remove ${path}`}>
                <ActionIcon
                  variant="default"
                  size="md"
                  aria-label={`Remove ${path}`}
                  onClick={() => remove(path)}
                >
                  <Trash2 size={15} aria-hidden />
                </ActionIcon>
              </Tooltip>
            )}
          </Group>
        )}
      </Stack>
      <Box className={classes.text}>
        {path !== null && (
          <CodeEditor
            label={path}
            path={path}
            value={files[path] as string}
            {...(onChange !== undefined && {
              onChange: (value: string) => onChange({ ...files, [path]: value }),
            })}
            height="420px"
          />
        )}
      </Box>
    </div>
  );
}

function NewFile({ taken, onAdd }: { taken: readonly string[]; onAdd(path: string): void }) {
  const [isOpen, setIsOpen] = useState(false);
  const [path, setPath] = useState("");
  const problem = path === "" ? null : problemOfPath(path, taken);
  return (
    <Popover opened={isOpen} onChange={setIsOpen} trapFocus withArrow>
      <Popover.Target>
        <Button
          size="xs"
          variant="default"
          leftSection={<FilePlus size={15} aria-hidden />}
          onClick={() => setIsOpen(!isOpen)}
        >
          New file
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (problemOfPath(path, taken) !== null) return;
            onAdd(path);
            setPath("");
            setIsOpen(false);
          }}
        >
          <Stack gap="xs">
            <TextInput
              label="Path"
              placeholder="lib/text.mjs"
              value={path}
              onChange={(event) => setPath(event.currentTarget.value)}
              error={problem}
              data-autofocus
            />
            <Button size="xs" type="submit">
              Add
            </Button>
          </Stack>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
