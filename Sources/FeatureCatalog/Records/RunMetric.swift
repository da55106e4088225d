/// One point of a run's curves (table `run_metric`).
package struct RunMetric: Equatable, Sendable {
    /// The step that it belongs to, counted from 0.
    package let step: Int

    /// The metric; the training loss is named `loss`.
    ///
    /// A name that ends in `_seconds` or `_per_second` is a timing, which the content digest leaves out.
    package let name: String

    /// The value; nil (NULL in the table) where it was not a finite number.
    package let value: Double?

    /// Describes a point; values that are not finite become nil.
    package init(step: Int, name: String, value: Double?) {
        self.step = step
        self.name = name
        self.value = value.flatMap { $0.isFinite ? $0 : nil }
    }
}
