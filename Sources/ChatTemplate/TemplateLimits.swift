/// Limits of a template. Templates come with models from anywhere and are therefore untrusted programs;
/// the largest in use need a hundredth of each limit.
enum TemplateLimits {
    /// Code points of a template.
    static let source = 1 << 20
    /// Parentheses, brackets and tags within one another. Reading one level takes about a dozen calls.
    static let nesting = 48
    /// Levels of an expression as it is evaluated: `a + b + c` has two.
    static let expressionDepth = 200
    /// Depth of expressions and tags being evaluated, including recursive macros.
    static let evaluationDepth = 400
    /// Nesting of lists. Deallocation recurses level by level.
    static let valueDepth = 64
    /// Total work: evaluations of an expression, elements of lists made and quarters of a text's code points.
    static let work = 5_000_000
    /// Code points of one text, the output included.
    static let text = 1 << 20
    /// Elements of one `range`, as in Jinja's sandbox (`MAX_RANGE` in jinja2/sandbox.py).
    static let range = 100_000
    /// Namespaces, and scopes with macros, which live until the end.
    static let retained = 10_000
}
