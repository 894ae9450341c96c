"""Forms: the shape and length of what people type. What it means is checked by the services."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.db.models import QuerySet

from accounts.models import Account
from hygiene.domain.rules import RULES
from hygiene.models import DigestDefault, DigestSubscription, Preferences, Reason, SavedView
from hygiene.people import ROLES
from hygiene.services.cautions import SENTENCES
from hygiene.services.scope import NUMBERS

REASONS = [("", "Choose a reason"), *((value, label) for value, label in Reason.choices if value != Reason.UNDO)]


class ReasonForm(forms.Form):
    """Why a key is changed."""

    reason = forms.ChoiceField(choices=REASONS, required=False)
    ticket = forms.CharField(max_length=128, required=False, widget=forms.TextInput(attrs={"placeholder": "SEC-1234"}))
    note = forms.CharField(max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def words(self) -> dict[str, Any]:
        """What was typed, as services take it; a field that is not valid counts as empty."""
        self.full_clean()
        return {name: self.cleaned_data.get(name, "") for name in ("reason", "ticket", "note", "typed") if name in self.fields}

    def complain(self, errors: dict[str, str]) -> None:
        """Show the service's sentences beside their fields."""
        for name, sentence in errors.items():
            self.add_error(name if name in self.fields else None, sentence)


class ConfirmForm(ReasonForm):
    """The answer to a plan's dialog."""

    in_days = forms.IntegerField(required=False, widget=forms.NumberInput(attrs={"min": 1, "max": 90}))
    when = forms.ChoiceField(choices=[("now", "Now"), ("later", "In some days, with notice to owners")], required=False)
    notifies_owners = forms.BooleanField(required=False)
    typed = forms.CharField(max_length=128, required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}))
    include_in_use = forms.BooleanField(required=False)
    ticked = forms.MultipleChoiceField(choices=[(code, code) for code in SENTENCES], required=False)

    def words(self) -> dict[str, Any]:
        """As `ReasonForm.words`, and what is opted in."""
        words = super().words()
        boxes = {name: bool(self.cleaned_data.get(name)) for name in ("include_in_use", "notifies_owners")}
        days = self.cleaned_data.get("in_days")
        is_later = self.cleaned_data.get("when") == "later"
        in_days = (-1 if days is None else days) if is_later else 0
        return words | boxes | {"ticked": self.cleaned_data.get("ticked", []), "in_days": in_days}


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs alone
    """How one person wants to see pages."""

    class Meta:
        model = Preferences
        fields = ("theme", "density", "time_zone", "start_view", "has_shortcuts")
        labels: ClassVar = {"has_shortcuts": "Keys of the keyboard move through pages and rows", "start_view": "Start with"}

    def __init__(self, *args: Any, views: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        start = self.fields["start_view"]
        assert isinstance(start, forms.ModelChoiceField)  # noqa: S101  # a foreign key
        start.queryset = SavedView.objects.none() if views is None else views.order_by("name", "pk")
        start.empty_label = "The overview"
        self.fields["time_zone"].widget.attrs["list"] = "time-zones"

    def clean_time_zone(self) -> str:
        """An IANA name, such as Europe/London."""
        return known_time_zone(self.cleaned_data["time_zone"])


def known_time_zone(name: str) -> str:
    """The name, if it is an IANA time zone. ValidationError with a sentence otherwise."""
    if name.strip() not in available_timezones():
        raise forms.ValidationError("Give a time zone by its IANA name, such as Europe/London or UTC.")
    return name.strip()


class AccountForm(forms.Form):
    """Owner, environment and tags of one account, as people write them: one `name=value` a line."""

    owner_email = forms.EmailField(required=False, max_length=254)
    environment = forms.CharField(required=False, max_length=64)
    tags = forms.CharField(required=False, max_length=8000, widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}))

    def clean_tags(self) -> dict[str, str]:
        """Names and values within AWS's lengths."""
        found: dict[str, str] = {}
        for line in filter(None, (line.strip() for line in self.cleaned_data["tags"].splitlines())):
            name, has_value, value = (part.strip() for part in line.partition("="))
            if not has_value or not 0 < len(name) <= 128 or len(value) > 256:
                raise forms.ValidationError(f"“{line[:60]}” is not a tag: write name=value.")
            if name in found:
                raise forms.ValidationError(f"“{name[:60]}” stands there twice: a tag has one value.")
            found[name] = value
        return found


class RemovalForm(forms.Form):
    """The answer to "Remove this account?": the end of its number, so that nobody removes another one by mistake."""

    typed = forms.CharField(max_length=16, required=False, strip=True)
    reason = forms.CharField(max_length=2000, required=False)

    def __init__(self, *args: Any, account_id: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = account_id[-4:]

    def clean_typed(self) -> str:
        """Exactly the last 4 digits."""
        typed = str(self.cleaned_data["typed"])
        if typed != self.expected:
            raise forms.ValidationError(f"Type the last 4 digits of the account number: {self.expected}.")
        return typed


class DigestDefaultForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs alone
    """How the people of one role get the digest. `scopes` are words and labels to choose from; account numbers may be typed.

    `known`: the accounts that may be named.
    """

    at = forms.TimeField(label="Time", widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}))
    scope = forms.ChoiceField(required=False)
    accounts = forms.CharField(required=False, max_length=600)

    class Meta:
        model = DigestDefault
        fields = ("is_on", "frequency", "send_when_unchanged", "weekday", "time_zone", "is_plain", "scope")

    def __init__(self, *args: Any, known: QuerySet[Account], scopes: Sequence[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = known
        self.fields["frequency"].required = False
        self.initial["at"] = time(self.instance.hour, self.instance.minute)
        stored, scope = self.instance.scope, self.fields["scope"]
        assert isinstance(scope, forms.ChoiceField)  # noqa: S101  # declared above
        scope.choices = [*scopes, ("accounts", "These accounts")]
        if NUMBERS.fullmatch(stored):
            self.initial.update(scope="accounts", accounts=stored.replace(",", ", "))
        elif stored not in dict(scopes):
            scope.choices = [*scopes, (stored, stored), ("accounts", "These accounts")]

    def clean_time_zone(self) -> str:
        """An IANA name, such as Europe/London."""
        return known_time_zone(self.cleaned_data["time_zone"])

    def clean(self) -> dict[str, Any]:
        """One word for the scope; an empty frequency stays what it was."""
        found: dict[str, Any] = super().clean() or {}
        if found.get("scope") == "accounts":
            found["scope"] = "".join(found.get("accounts", "").split())
            if not NUMBERS.fullmatch(found["scope"]) or len(found["scope"]) > 512:
                self.add_error("accounts", "Give account numbers of 12 digits, with commas, at most 39.")
            elif missing := self._missing(found["scope"].split(",")):
                are_not = "is no account" if len(missing) == 1 else "are no accounts"
                self.add_error("accounts", f"{', '.join(missing)} {are_not} that you see here.")
        found["frequency"] = found.get("frequency") or self.instance.frequency
        return found

    def _missing(self, numbers: list[str]) -> list[str]:
        found = set(self.known.filter(account_id__in=numbers).values_list("account_id", flat=True))
        return [number for number in dict.fromkeys(numbers) if number not in found]

    def save(self, commit: bool = True) -> Any:
        """The slot's time in two columns."""
        self.instance.hour, self.instance.minute = self.cleaned_data["at"].hour, self.cleaned_data["at"].minute
        return super().save(commit)


class DigestForm(DigestDefaultForm):
    """How one person gets the digest."""

    class Meta(DigestDefaultForm.Meta):
        model = DigestSubscription  # type: ignore[assignment]  # both have the choices of a digest
        fields = (*DigestDefaultForm.Meta.fields, "saved_view")  # type: ignore[assignment]  # one more

    def __init__(self, *args: Any, views: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.fields["saved_view"]
        assert isinstance(chosen, forms.ModelChoiceField)  # noqa: S101  # a foreign key
        chosen.queryset = SavedView.objects.none() if views is None else views
        chosen.empty_label = "None"


class Complaining(forms.Form):
    """A form that shows the sentences of a service beside their fields."""

    def complain(self, errors: dict[str, str]) -> None:
        """Sentences by field; those of no field of ours stand above the form."""
        for name, sentence in errors.items():
            self.add_error(name if name in self.fields else None, sentence)


NO_END = {"required": "Choose an end date: an exemption never runs without one."}


class ExemptionForm(Complaining):
    """What is accepted, why, by whom, until when."""

    rules = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    is_every_rule = forms.BooleanField(required=False)
    reason = forms.CharField(max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3}))
    accepted_by = forms.CharField(max_length=254, required=False)
    ends_on = forms.DateField(error_messages=NO_END, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
    ticket = forms.CharField(max_length=128, required=False, widget=forms.TextInput(attrs={"placeholder": "SEC-1234"}))

    def __init__(self, *args: Any, codes: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["rules"]
        field.choices = [(code, RULES[code].title) for code in codes]

    def clean(self) -> dict[str, Any]:
        """Rules by name, or every rule; not none."""
        found: dict[str, Any] = super().clean() or {}
        if not found.get("rules") and not found.get("is_every_rule"):
            self.add_error("rules", "Choose what is accepted, or every rule.")
        return found

    def terms(self) -> dict[str, Any]:
        """As `services.exemptions.Terms` takes them."""
        found = {name: self.cleaned_data[name] for name in ("rules", "reason", "accepted_by", "ends_on", "ticket")}
        return found | ({"rules": []} if self.cleaned_data["is_every_rule"] else {})


class ExtensionForm(Complaining):
    """A new end for an exemption."""

    ends_on = forms.DateField(error_messages=NO_END, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
    reason = forms.CharField(max_length=2000, required=False)


class WithdrawalForm(Complaining):
    """Why an exemption ends now."""

    reason = forms.CharField(max_length=2000, required=False)


class StandingForm(Complaining):
    """Roles and scope of one person."""

    roles = forms.MultipleChoiceField(choices=[(role, role) for role in ROLES], required=False, widget=forms.CheckboxSelectMultiple)
    sees = forms.ChoiceField(choices=[("all", "Every account"), ("some", "These accounts")], widget=forms.RadioSelect, initial="all")
    accounts = forms.CharField(max_length=100_000, required=False, widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}))
    reason = forms.CharField(max_length=2000, required=False)

    def words(self) -> dict[str, Any]:
        """As `services.people.change` takes them."""
        said = self.cleaned_data
        return {"roles": said["roles"], "scope": said["accounts"] if said["sees"] == "some" else None, "reason": said["reason"]}


class PersonForm(StandingForm):
    """Somebody new. What is missing is said by the service, together with what else is wrong."""

    username = forms.CharField(
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    first_name = forms.CharField(max_length=150, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    last_name = forms.CharField(max_length=150, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    email = forms.EmailField(max_length=254, required=False, widget=forms.EmailInput(attrs={"autocomplete": "off"}))

    def words(self) -> dict[str, Any]:
        """As `services.people.add` takes them."""
        return super().words() | {"fields": {name: self.cleaned_data[name] for name in ("username", "first_name", "last_name", "email")}}
