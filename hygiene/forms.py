"""Forms: the shape and length of what people type. What it means is checked by the services."""

from __future__ import annotations

from datetime import time
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django import forms

from hygiene.domain.rules import RULES
from hygiene.models import DigestSubscription, Preferences, Reason
from hygiene.services.cautions import SENTENCES

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

    typed = forms.CharField(max_length=32, required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}))
    include_in_use = forms.BooleanField(required=False)
    ticked = forms.MultipleChoiceField(choices=[(code, code) for code in SENTENCES], required=False)

    def words(self) -> dict[str, Any]:
        """As `ReasonForm.words`, and what is opted in."""
        words = super().words()
        boxes = {"include_in_use": bool(self.cleaned_data.get("include_in_use")), "ticked": self.cleaned_data.get("ticked", [])}
        return words | boxes


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs alone
    """How one person wants to see pages."""

    class Meta:
        model = Preferences
        fields = ("theme", "density", "time_zone", "has_shortcuts")
        labels: ClassVar = {"has_shortcuts": "Keys of the keyboard move through pages and rows"}

    def clean_time_zone(self) -> str:
        """An IANA name, such as Europe/London."""
        return known_time_zone(self.cleaned_data["time_zone"])


def known_time_zone(name: str) -> str:
    """The name, if it is an IANA time zone. ValidationError with a sentence otherwise."""
    if name.strip() not in available_timezones():
        raise forms.ValidationError("Give a time zone by its IANA name, such as Europe/London or UTC.")
    return name.strip()


class DigestForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs alone
    """When one person gets the weekly digest."""

    at = forms.TimeField(label="Time", widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}))

    class Meta:
        model = DigestSubscription
        fields = ("is_on", "send_when_unchanged", "weekday", "time_zone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["at"] = time(self.instance.hour, self.instance.minute)

    def clean_time_zone(self) -> str:
        """An IANA name, such as Europe/London."""
        return known_time_zone(self.cleaned_data["time_zone"])

    def save(self, commit: bool = True) -> DigestSubscription:
        """The slot's time in two columns."""
        self.instance.hour, self.instance.minute = self.cleaned_data["at"].hour, self.cleaned_data["at"].minute
        saved: DigestSubscription = super().save(commit)
        return saved


class Complaining(forms.Form):
    """A form that shows the sentences of a service beside their fields."""

    def complain(self, errors: dict[str, str]) -> None:
        """Sentences by field; those of no field of ours stand above the form."""
        for name, sentence in errors.items():
            self.add_error(name if name in self.fields else None, sentence)


class ExemptionForm(Complaining):
    """What is accepted, why, by whom, until when."""

    rules = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    is_every_rule = forms.BooleanField(required=False)
    reason = forms.CharField(max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3}))
    accepted_by = forms.CharField(max_length=254, required=False)
    ends_on = forms.DateField(widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
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

    ends_on = forms.DateField(widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
    reason = forms.CharField(max_length=2000, required=False)


class WithdrawalForm(Complaining):
    """Why an exemption ends now."""

    reason = forms.CharField(max_length=2000, required=False)
