import { Button, Code, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { ErrorState } from "./error-state.tsx";

export interface ConfirmByNameProps {
  isOpen: boolean;
  onClose(): void;
  /** What has to be typed. */
  name: string;
  title: string;
  /** What will be lost. */
  text: string;
  verb: string;
  isPending: boolean;
  error: unknown;
  onConfirm(): void;
}

/** A destructive act, which asks for the name of what goes. */
export function ConfirmByName(props: ConfirmByNameProps) {
  const { isOpen, onClose, name, title, text, verb, isPending, error, onConfirm } = props;
  const [typed, setTyped] = useState("");
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={title}
      centered
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (typed === name) onConfirm();
        }}
      >
        <Stack>
          <Text size="sm">{text}</Text>
          <TextInput
            label={
              <>
                Type <Code>{name}</Code> to go on
              </>
            }
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
            data-autofocus
          />
          {error !== null && <ErrorState error={error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" color="red.8" disabled={typed !== name} loading={isPending}>
              {verb}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
