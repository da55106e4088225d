/// What a template may take. Templates come with models from anywhere, so every one of them is a stranger's program;
/// the largest in use are a hundredth of each of these.
enum TemplateLimits {
    /// Code points of a template.
    static let source = 1 << 20
    /// Parentheses, brackets and tags within one another. Reading one level takes about a dozen calls.
    static let nesting = 48
    /// Levels of an expression as it is evaluated: `a + b + c` has two.
    static let expressionDepth = 200
    /// Expressions and tags that are being evaluated within one another, macros that call themselves included.
    static let evaluationDepth = 400
    /// Lists within lists. What holds them is taken apart level by level when it goes.
    static let valueDepth = 64
    /// Evaluations of an expression, elements of lists made and quarters of a text's code points, all together.
    static let work = 5_000_000
    /// Code points of one text, the output included.
    static let text = 1 << 20
    /// Elements of one `range`, as in Jinja's sandbox (`MAX_RANGE` in jinja2/sandbox.py).
    static let range = 100_000
    /// Namespaces, and scopes with macros, which live until the end.
    static let retained = 10_000
}
