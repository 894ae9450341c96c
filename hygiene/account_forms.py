"""The form "Add accounts": its shape, and what follows from it. It may be kept half-filled: `choice` needs no valid form."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.conf import settings

from accounts.models import Partition
from accounts.organization import READ_ROLE
from accounts.roles import role_of
from hygiene.environment import PRINCIPAL
from hygiene.forms import AccountForm
from hygiene.services.role_texts import Choice

ACT_ROLE = "hygiene-act"  # of the templates in deploy/aws
NO_WORKER = "arn:{partition}:iam::C:role/hygiene-worker"  # refused by AWS, so that nobody makes a role which trusts nobody
_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
ARN = {"spellcheck": "false", "autocomplete": "off"}


def _role_input(name: str) -> forms.TextInput:
    return forms.TextInput(attrs=ARN | {"placeholder": f"arn:aws:iam::111122223333:role/{name}"})


class AddAccountForm(AccountForm):
    """What is added, how its roles are called and where they are, and what is known of the account."""

    kind = forms.ChoiceField(
        choices=[("account", "One account"), ("organization", "An organization")], widget=forms.RadioSelect, required=False
    )
    access = forms.ChoiceField(choices=[("read", "Read only"), ("act", "Read and act")], widget=forms.RadioSelect, required=False)
    partition = forms.ChoiceField(choices=Partition.choices, required=False)
    worker_arn = forms.CharField(max_length=600, required=False, widget=forms.TextInput(attrs=ARN), label="Worker's identity")
    read_role_name = forms.CharField(max_length=64, required=False, widget=forms.TextInput(attrs=ARN), label="Read role's name")
    act_role_name = forms.CharField(max_length=64, required=False, widget=forms.TextInput(attrs=ARN), label="Act role's name")
    read_role_arn = forms.CharField(max_length=2048, required=False, widget=_role_input(READ_ROLE), label="Read role's ARN")
    act_role_arn = forms.CharField(max_length=2048, required=False, widget=_role_input(ACT_ROLE), label="Act role's ARN")
    management_role_arn = forms.CharField(
        max_length=2048, required=False, widget=_role_input(READ_ROLE), label="Role in the management account"
    )
    name = forms.CharField(max_length=128, required=False)

    @classmethod
    def usual(cls) -> dict[str, str]:
        """Answers of a form that nobody touched yet."""
        return {
            "kind": "account",
            "access": "read",
            "partition": settings.WORKER_ARN.split(":")[1] if settings.WORKER_ARN else "aws",
            "worker_arn": settings.WORKER_ARN,
            "read_role_name": READ_ROLE,
            "act_role_name": ACT_ROLE,
        }

    def typed(self) -> dict[str, str]:
        """What was typed, valid or not, cut to what is kept."""
        return {name: str(self.data.get(name, ""))[: 8000 if name == "tags" else 2048] for name in self.fields}

    @property
    def is_organization(self) -> bool:
        """Whether an organization is added."""
        return self.data.get("kind") == "organization"

    @property
    def acts(self) -> bool:
        """Whether keys are to be changed too."""
        return self.data.get("access") == "act"

    def words(self) -> dict[str, Any]:
        """What is valid of the form, which need not be valid itself."""
        return self.cleaned_data if self.is_bound and self.errors is not None else {}

    def choice(self, external_id: str) -> Choice:
        """What the texts are filled with; usual words for what is missing or wrong."""
        found, usual = self.words(), self.usual()
        partition = found.get("chosen_partition") or usual["partition"]
        return Choice(
            partition=partition,
            worker_arn=found.get("worker_arn") or NO_WORKER.format(partition=partition),
            external_id=external_id,
            acts=self.acts,
            read_role=found.get("read_role_name") or usual["read_role_name"],
            act_role=found.get("act_role_name") or usual["act_role_name"],
            lists=self.is_organization,
        )

    def clean_worker_arn(self) -> str:
        """A role or user; empty while it is not known."""
        arn = str(self.cleaned_data["worker_arn"]).strip()
        if arn and not PRINCIPAL.fullmatch(arn):
            raise forms.ValidationError("Give the ARN of a role or user, such as arn:aws:iam::111122223333:role/hygiene-worker.")
        return arn

    def clean_read_role_name(self) -> str:
        """A name as AWS allows it, without a path."""
        return self._role_name("read_role_name")

    def clean_act_role_name(self) -> str:
        """As above."""
        return self._role_name("act_role_name")

    def _role_name(self, field: str) -> str:
        name = str(self.cleaned_data[field]).strip()
        if name and not _NAME.fullmatch(name):
            raise forms.ValidationError("A role's name has up to 64 letters, digits and _+=,.@-")
        return name

    def clean(self) -> dict[str, Any]:
        """The ARNs that this kind of adding needs."""
        found: dict[str, Any] = super().clean() or {}
        for name in ("read_role_arn", "act_role_arn", "management_role_arn"):
            found[name] = str(found.get(name, "")).strip()
        found["chosen_partition"] = found.get("partition", "")  # for the texts; a pasted role tells its own
        if self.is_organization:
            self._clean_organization(found)
        else:
            self._clean_account(found)
        return found

    def _clean_account(self, found: dict[str, Any]) -> None:
        found["partition"], found["account_id"] = (
            role_of(found["read_role_arn"]) if found["read_role_arn"] else (found.get("partition"), "")
        )
        if not found["account_id"]:
            self.add_error("read_role_arn", "Paste the role's ARN, such as arn:aws:iam::111122223333:role/hygiene-read.")
        if not self.acts:
            found["act_role_arn"] = ""
        elif not found["act_role_arn"]:
            self.add_error("act_role_arn", "Paste the act role's ARN, or choose read only: it can be set later on the account's page.")
        elif found["account_id"] and role_of(found["act_role_arn"]) != (found["partition"], found["account_id"]):
            self.add_error("act_role_arn", f"This is no role in account {found['account_id']}, where the read role is.")

    def _clean_organization(self, found: dict[str, Any]) -> None:
        usual, arn = self.usual(), found["management_role_arn"]
        if arn and role_of(arn)[0] != found.get("partition"):
            self.add_error(
                "management_role_arn", "This is no ARN of a role in this partition. Leave it empty to use the worker's own identity."
            )
        found["read_role_name"] = found.get("read_role_name") or usual["read_role_name"]
        found["act_role_name"] = (found.get("act_role_name") or usual["act_role_name"]) if self.acts else ""

    def spec(self, external_id: str) -> dict[str, Any]:
        """What is tested. Needs a valid form."""
        names = ("partition", "read_role_name", "act_role_name", "management_role_arn")
        if not self.is_organization:
            names = ("account_id", "partition", "read_role_arn", "act_role_arn")
        return {**{name: self.cleaned_data[name] for name in names}, "external_id": external_id}

    def columns(self) -> dict[str, Any]:
        """Columns of an import, without the external id. Needs a valid form of one account."""
        names = ("account_id", "partition", "read_role_arn", "act_role_arn", "name", "environment", "owner_email", "tags")
        return {name: self.cleaned_data[name] for name in names}
