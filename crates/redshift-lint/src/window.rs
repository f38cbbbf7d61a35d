//! What stands behind OVER, and the order of rows.

use crate::Refusal;
use crate::functions::{Class, Function};
use crate::lexer::{Kind, Token};
use crate::parser::{Clause, Parsed, Parser};
use crate::rules;

impl Parser<'_> {
    /// `over (partition by … order by … rows …)` of a function.
    pub(crate) fn over(&mut self, function: &Function, token: Token<'_>) -> Parsed {
        let fails = |message: String| {
            Err(Refusal::new(&rules::WINDOW_FORM, token.at, message).page(function.page))
        };
        if function.class == Class::AggregateOnly {
            return fails(format!("{} stands over a window", token.shown()));
        }
        self.expect("over")?;
        if !self.is_sign("(") {
            return self.refuse(&rules::WINDOW_FORM, "a window with a name stands here");
        }
        let (ordered, framed) = self.window()?;
        match function.class {
            Class::Aggregate | Class::Frame if ordered && !framed => {
                let message = format!("{} over an order says no frame", token.shown());
                Err(Refusal::new(&rules::WINDOW_FRAME, token.at, message))
            }
            Class::Shift if !ordered => fails(format!("{} has no order", token.shown())),
            Class::Ordered if ordered => {
                fails(format!("the window of {} has an order", token.shown()))
            }
            Class::Rank if function.name == "ratio_to_report" && ordered => {
                fails(format!("the window of {} has an order", token.shown()))
            }
            Class::Rank | Class::Shift | Class::Ordered if framed => {
                fails(format!("{} has a frame", token.shown()))
            }
            _ => Ok(()),
        }
    }

    /// The window; whether it has an order, and a frame.
    fn window(&mut self) -> Parsed<(bool, bool)> {
        self.expect_sign("(")?;
        let (ordered, framed) = self.within(Clause::Window, |parser| {
            if parser.eat_all(&["partition", "by"]) {
                parser.list(Self::expression)?;
            }
            let ordered = parser.eat_all(&["order", "by"]);
            if ordered {
                parser.order_list()?;
            }
            Ok((ordered, parser.frame()?))
        })?;
        if framed && !ordered {
            return self.refuse(&rules::WINDOW_FRAME, "a frame stands without an order");
        }
        self.expect_sign(")")?;
        Ok((ordered, framed))
    }

    fn frame(&mut self) -> Parsed<bool> {
        if self.is("range") || self.is("groups") {
            return self.refuse(
                &rules::WINDOW_FRAME,
                format!("a frame of {} stands here", self.peek().text),
            );
        }
        if !self.eat("rows") {
            return Ok(false);
        }
        if self.eat("between") {
            let from = self.bound()?;
            self.expect("and")?;
            let to = self.bound()?;
            if from > to || to == Bound::First || from == Bound::Last {
                return self.refuse(&rules::WINDOW_FRAME, "the frame ends before it begins");
            }
        } else if self.bound()? > Bound::Current {
            return self.refuse(&rules::WINDOW_FRAME, "the frame begins behind the current row");
        }
        if self.is("exclude") {
            return self.refuse(&rules::WINDOW_FRAME, "EXCLUDE stands here");
        }
        Ok(true)
    }

    fn bound(&mut self) -> Parsed<Bound> {
        if self.eat_all(&["current", "row"]) {
            return Ok(Bound::Current);
        }
        let unbounded = self.eat("unbounded");
        if !unbounded {
            if self.peek().kind == Kind::Sign {
                return self.refuse(&rules::WINDOW_FRAME, "an offset is no unsigned number");
            }
            self.integer("a number of rows")?;
        }
        Ok(match (self.expect_any(&["preceding", "following"])?, unbounded) {
            ("preceding", true) => Bound::First,
            ("preceding", false) => Bound::Before,
            (_, false) => Bound::After,
            (_, true) => Bound::Last,
        })
    }

    /// `expression [asc | desc] [nulls first | nulls last], …`.
    pub(crate) fn order_list(&mut self) -> Parsed {
        self.list(|parser| {
            let next = parser.ahead(1);
            let alone = next.is_sign(",")
                || next.is_sign(")")
                || next.is_sign(";")
                || next.kind == Kind::End;
            if parser.peek().kind == Kind::Text && alone {
                return parser.refuse(&rules::ORDER_LITERAL, "a string stands in ORDER BY");
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

/// The ends of a frame, in order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Bound {
    First,
    Before,
    Current,
    After,
    Last,
}
