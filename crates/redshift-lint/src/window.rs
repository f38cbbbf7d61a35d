//! OVER clause, window frames, and ORDER BY lists.

use crate::functions::{Class, Function};
use crate::lexer::{Token, TokenKind};
use crate::parser::{Clause, Parsed, Parser};
use crate::rules;
use crate::violation::Violation;

impl Parser<'_> {
    /// Parses `over (partition by … order by … rows …)`, and checks it for the function.
    pub(crate) fn over(&mut self, function: &Function, token: Token<'_>) -> Parsed {
        let fails = |message: String| {
            Err(Violation::new(&rules::WINDOW_FORM, token.at, message).with_page(function.page))
        };
        if function.class == Class::AggregateOnly {
            return fails(format!("{} is not a window function", token.describe()));
        }
        self.expect("over")?;
        if !self.is_symbol("(") {
            return self.violation(&rules::WINDOW_FORM, "named windows are not supported");
        }
        let (ordered, framed) = self.window()?;
        match function.class {
            Class::Aggregate | Class::Frame if ordered && !framed => {
                let message = format!("{} has an order, but no frame", token.describe());
                Err(Violation::new(&rules::WINDOW_FRAME, token.at, message))
            }
            Class::Offset if !ordered => fails(format!("{} has no order", token.describe())),
            Class::Ordered if ordered => {
                fails(format!("the window of {} has an order", token.describe()))
            }
            Class::Rank if function.name == "ratio_to_report" && ordered => {
                fails(format!("the window of {} has an order", token.describe()))
            }
            Class::Rank | Class::Offset | Class::Ordered if framed => {
                fails(format!("{} has a frame", token.describe()))
            }
            _ => Ok(()),
        }
    }

    /// Parses the definition of a window. Returns whether it has an order, and whether it has a
    /// frame.
    fn window(&mut self) -> Parsed<(bool, bool)> {
        self.expect_symbol("(")?;
        let (ordered, framed) = self.in_clause(Clause::Window, |parser| {
            if parser.eat_sequence(&["partition", "by"]) {
                parser.comma_separated(Self::expression)?;
            }
            let ordered = parser.eat_sequence(&["order", "by"]);
            if ordered {
                parser.order_list()?;
            }
            Ok((ordered, parser.frame()?))
        })?;
        if framed && !ordered {
            return self.violation(&rules::WINDOW_FRAME, "the window has a frame, but no order");
        }
        self.expect_symbol(")")?;
        Ok((ordered, framed))
    }

    fn frame(&mut self) -> Parsed<bool> {
        if self.is("range") || self.is("groups") {
            return self.violation(
                &rules::WINDOW_FRAME,
                format!("{} frames are not supported", self.peek().text.to_uppercase()),
            );
        }
        if !self.eat("rows") {
            return Ok(false);
        }
        if self.eat("between") {
            let from = self.bound()?;
            self.expect("and")?;
            let to = self.bound()?;
            if from > to || to == Bound::UnboundedPreceding || from == Bound::UnboundedFollowing {
                return self.violation(&rules::WINDOW_FRAME, "the frame ends before it starts");
            }
        } else if self.bound()? > Bound::CurrentRow {
            return self.violation(&rules::WINDOW_FRAME, "the frame starts after the current row");
        }
        if self.is("exclude") {
            return self.violation(&rules::WINDOW_FRAME, "EXCLUDE is not supported");
        }
        Ok(true)
    }

    fn bound(&mut self) -> Parsed<Bound> {
        if self.eat_sequence(&["current", "row"]) {
            return Ok(Bound::CurrentRow);
        }
        let unbounded = self.eat("unbounded");
        if !unbounded {
            if self.peek().kind == TokenKind::Symbol {
                return self
                    .violation(&rules::WINDOW_FRAME, "the offset is not an unsigned number");
            }
            self.integer("a number of rows")?;
        }
        Ok(match (self.expect_any(&["preceding", "following"])?, unbounded) {
            ("preceding", true) => Bound::UnboundedPreceding,
            ("preceding", false) => Bound::Preceding,
            (_, false) => Bound::Following,
            (_, true) => Bound::UnboundedFollowing,
        })
    }

    /// Parses `expression [asc | desc] [nulls first | nulls last], …`.
    pub(crate) fn order_list(&mut self) -> Parsed {
        self.comma_separated(|parser| {
            let next = parser.peek_nth(1);
            let is_whole_item = next.is_symbol(",")
                || next.is_symbol(")")
                || next.is_symbol(";")
                || next.kind == TokenKind::End;
            if parser.peek().kind == TokenKind::StringLiteral && is_whole_item {
                return parser.violation(&rules::ORDER_LITERAL, "ORDER BY has a string literal");
            }
            parser.expression()?;
            if !parser.eat("asc") {
                parser.eat("desc");
            }
            if parser.eat("nulls") {
                parser.expect_any(&["first", "last"])?;
            }
            Ok(())
        })
        .map(drop)
    }
}

/// Bounds of a frame, ordered from the first to the last row.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Bound {
    UnboundedPreceding,
    Preceding,
    CurrentRow,
    Following,
    UnboundedFollowing,
}
