"""Path rules in the manner of AnyBURL: mined, evaluated, and shown as reasons."""

from reasoning.predictors.rules.config import RuleConfig
from reasoning.predictors.rules.mining import mine_rules
from reasoning.predictors.rules.rule import Rule, RuleReason, rule_text
from reasoning.predictors.rules.rule_set import RuleSet

__all__ = ["Rule", "RuleConfig", "RuleReason", "RuleSet", "mine_rules", "rule_text"]
