"""Feature files of our own: one whose every step holds, one whose every step fails."""

from __future__ import annotations

HOLDS = """
Feature: What holds

  Background:
    Given any graph

  Scenario: [1] Rows in any order, of nodes, edges and paths
    Given an empty graph
    And having executed:
      \"\"\"
      CREATE (:A {x: 1})-[:T {y: [1, 'a', null]}]->(:B), (:C)
      \"\"\"
    When executing query:
      \"\"\"
      MATCH p = (b:B)<-[r]-(a) RETURN a, r, p UNION ALL MATCH (a:C) RETURN a, null AS r, null AS p
      \"\"\"
    Then the result should be, in any order:
      | a          | r                      | p                                                |
      | (:C)       | null                   | null                                             |
      | (:A {x: 1})| [:T {y: [1, 'a', null]}] | <(:B)<-[:T {y: [1, 'a', null]}]-(:A {x: 1})>   |
    And no side effects

  Scenario Outline: [2] Examples and parameters
    Given parameters are:
      | p | <value> |
    When executing query:
      \"\"\"
      RETURN $p AS value, $p IS NULL AS missing
      \"\"\"
    Then the result should be, in order:
      | value   | missing |
      | <value> | <null>  |

    Examples:
      | value              | null  |
      | null               | true  |
      | 9007199254740993   | false |
      | -1.5               | false |
      | 'it\\\\'s \\| ü'    | false |
      | [[1], {a: [true]}] | false |

  Scenario: [3] Lists as bags
    When executing query:
      \"\"\"
      UNWIND [1, 2] AS x RETURN [2, x, 1] AS l
      \"\"\"
    Then the result should be, in order (ignoring element order for lists):
      | l         |
      | [1, 1, 2] |
      | [1, 2, 2] |

  Scenario: [4] Effects and a control query
    Given an empty graph
    And having executed:
      \"\"\"
      CREATE (:Old {x: 1})
      \"\"\"
    When executing query:
      \"\"\"
      MATCH (o:Old) DELETE o CREATE (:New {a: 1, b: 2})-[:T]->(:New)
      \"\"\"
    Then the result should be empty
    And the side effects should be:
      | +nodes         | 2 |
      | -nodes         | 1 |
      | +relationships | 1 |
      | +labels        | 1 |
      | -labels        | 1 |
      | +properties    | 2 |
      | -properties    | 1 |
    When executing control query:
      \"\"\"
      MATCH (n) WHERE n.x = 1 RETURN n.x AS `none of them`
      \"\"\"
    Then the result should be, in any order:
      | none of them |

  Scenario: [5] Errors
    When executing query:
      \"\"\"
      RETURN missing
      \"\"\"
    Then a SyntaxError should be raised at compile time: UndefinedVariable

  Scenario: [6] A named graph
    Given the binary-tree-2 graph
    When executing query:
      \"\"\"
      MATCH (:A)-->(b)-->(c:Y) RETURN count(c) AS n
      \"\"\"
    Then the result should be, in any order:
      | n |
      | 4 |

  Scenario: [7] A procedure
    Given there exists a procedure test.my.proc(in :: INTEGER?) :: (out :: INTEGER?):
      | in | out |
    When executing query:
      \"\"\"
      CALL test.my.proc(1)
      \"\"\"
    Then the result should be empty
"""
FAILS = """
Feature: What does not hold

  Scenario Outline: [1] A wrong value
    Given any graph
    When executing query:
      \"\"\"
      UNWIND [1, 2] AS x RETURN x
      \"\"\"
    Then the result should be, in order:
      | x   |
      | <a> |
      | <b> |

    Examples:
      | a   | b   |
      | 2   | 1   |
      | 1.0 | 2   |
      | '1' | 2   |
      | 1   | 1   |

  Scenario: [2] A wrong column
    When executing query:
      \"\"\"
      UNWIND [] AS x RETURN x
      \"\"\"
    Then the result should be, in any order:
      | y |

  Scenario: [3] Rows where there should be none
    When executing query:
      \"\"\"
      RETURN 1
      \"\"\"
    Then the result should be empty

  Scenario: [4] A hidden effect
    When executing query:
      \"\"\"
      CREATE (:N)
      \"\"\"
    Then the result should be empty
    And no side effects

  Scenario: [5] No error
    When executing query:
      \"\"\"
      RETURN 1
      \"\"\"
    Then a SyntaxError should be raised at compile time: UndefinedVariable

  Scenario: [6] Another error
    When executing query:
      \"\"\"
      RETURN missing
      \"\"\"
    Then a TypeError should be raised at runtime: InvalidArgumentType

  Scenario: [7] An error that nobody wants
    When executing query:
      \"\"\"
      RETURN missing
      \"\"\"
    Then the result should be empty

  Scenario: [8] A graph that nobody has
    Given the lost graph
    When executing query:
      \"\"\"
      RETURN 1
      \"\"\"
    Then the result should be empty
"""
