"""The report of a demo: in the terminal and as one HTML file with plots."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from api.cli.printing import print_rows
from api.demo.plots import bars, reliability
from kg.files import atomic_write

__all__ = ["print_report", "write_html"]


def print_report(report: dict[str, Any], html: Path) -> None:
    """Print the report to stdout."""
    print(f"\n{report['name']}: commit {report['commit']}, seed {report['seed']}")
    for section in report["sections"]:
        print(f"\n== {section['title']}")
        if section["note"]:
            print(section["note"])
        for table in section["tables"]:
            print(f"\n{table['title']}")
            print_rows(table["columns"], table["rows"])
            if table["note"]:
                print(table["note"])
    for question in report["questions"]:
        _print_question(question)
    total = sum(report["seconds"].values())
    print(f"\nThe steps took {total:.0f} s when they last ran. With plots: {html}")
    print("Next: umbra serve, or umbra ask --help")


def _print_question(question: dict[str, Any]) -> None:
    print(f"\n== {question['title']}")
    shown = question["likely_total"]
    right = f", {question['likely_right']} of {shown} likely ones shown are right" if shown else ""
    print(f"{question['total_known']} known answers{right}")
    seen: dict[str, int] = {}
    for answer in question["answers"]:
        seen[answer["status"]] = seen.get(answer["status"], 0) + 1
        mark = ""
        if answer["status"] == "likely":
            mark = "  (right)" if answer["right"] else "  (not in the graph)"
        print(f"  {answer['status']:<7} {answer['probability']:.3f}  {answer['name']}{mark}")
        if seen[answer["status"]] == 1:
            for line in answer["proof"]:
                print(f"                   {line}")


def write_html(report: dict[str, Any], path: Path) -> None:
    """Write the report as one HTML file; everything in it is escaped but our own plots."""
    from jinja2 import Environment, FileSystemLoader
    from markupsafe import Markup

    # Autoescape is on: names and sentences come from data.
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True
    )
    plots = {
        section["title"]: [Markup(_plot(plot)) for plot in section["plots"]]  # noqa: S704  our SVG
        for section in report["sections"]
    }
    text = environment.get_template("report.html.jinja").render(report=report, plots=plots)
    with atomic_write(path) as file:
        file.write(text.encode())


def _plot(plot: dict[str, Any]) -> str:
    if plot["kind"] == "bars":
        return bars(plot["rows"], title=plot["title"])
    return reliability(plot["rows"], title=plot["title"])
