extension PatternMachine {
    /// The branch to take first; nil if there is none. Leaves a frame for the other one.
    @inline(__always)
    mutating func choose(
        _ preferred: Int, _ other: Int, _ choice: Int, at place: Int, _ position: Int
    ) -> Int? {
        var first = preferred
        var isOnly = false
        if position < end {
            let byte = bytes[position]
            let mayPrefer = firstBytes[preferred].contains(byte)
            isOnly = !mayPrefer || !firstBytes[other].contains(byte)
            if !mayPrefer {
                guard firstBytes[other].contains(byte) else { return nil }
                first = other
            }
        }
        if memory == nil {
            work += 1
            if isOnly { return first }
        } else if hasFailed(choice, at: position) {
            return nil
        }
        stack.append(Frame(kind: isOnly ? .triedSplit : .split, place: place, position: position))
        return first
    }

    private func hasFailed(_ choice: Int, at position: Int) -> Bool {
        memory.map { $0.hasFailed(choice, at: position) } ?? false
    }

    /// Whether a run of any length failed from its second scalar on: then the shortest run alone is left to try.
    private func hasFailedLater(_ span: PatternProgram.Span, from start: Int) -> Bool {
        guard memory != nil, span.maximum == .max, span.minimum < 2 else { return false }
        guard let second = take(span.scalarClass, at: start) else { return false }
        return hasFailed(span.choice, at: second)
    }

    /// The end of the run to try first; nil if it is too short. Leaves a frame for the other lengths.
    @inline(__always)
    mutating func enter(_ span: PatternProgram.Span, at place: Int, from start: Int) -> Int? {
        if memory != nil {
            if hasFailed(span.choice, at: start) { return nil }
            if hasFailedLater(span, from: start) { return enter(shortest: span, at: place, from: start) }
        }
        if span.preference == .fewer {
            let (shortest, count) = run(of: span.scalarClass, atMost: span.minimum, from: start)
            guard count == span.minimum else { return nil }
            let rest = span.maximum == .max ? Int.max : span.maximum - span.minimum
            stack.append(Frame(kind: .span, place: place, position: start, current: shortest, limit: rest))
            return shortest
        }
        let (longest, count) = run(of: span.scalarClass, atMost: span.maximum, from: start)
        work += (longest - start) >> 3
        guard count >= span.minimum else { return nil }
        let isFixed = span.preference == .allOrNothing || count == span.minimum
        // Only to be remembered when it has failed.
        if isFixed, memory == nil { return longest }
        var shortest = longest
        if !isFixed {
            shortest = span.minimum == 0 ? start : run(of: span.scalarClass, atMost: span.minimum, from: start).end
        }
        stack.append(Frame(kind: .span, place: place, position: start, current: longest, limit: shortest))
        return longest
    }

    private mutating func enter(shortest span: PatternProgram.Span, at place: Int, from start: Int) -> Int? {
        guard span.preference != .allOrNothing else {
            // It ends where the run from the second scalar ends.
            memory?.noteFailure(span.choice, at: start...start)
            return nil
        }
        let end = run(of: span.scalarClass, atMost: span.minimum, from: start).end
        let limit = span.preference == .fewer ? 0 : end
        stack.append(Frame(kind: .span, place: place, position: start, current: end, limit: limit))
        return end
    }

    /// The next thing to try; nil if everything from a level of the stack on has been tried.
    mutating func goBack(to base: Int) -> (place: Int, position: Int)? {
        work += 1
        rememberIfNeeded()
        while stack.count > base {
            let top = stack.count - 1
            let frame = stack[top]
            switch (frame.kind, code[frame.kind == .slot ? 0 : frame.place]) {
            case (.slot, _):
                slots[frame.place] = frame.position
                stack.removeLast()
            case (.split, .split(_, let other, _)):
                if memory == nil { stack.removeLast() } else { stack[top].kind = .triedSplit }
                return (other, frame.position)
            case (.triedSplit, .split(_, _, let choice)):
                memory?.noteFailure(choice, at: frame.position...frame.position)
                stack.removeLast()
            case (.span, .span(let span)):
                if let position = shifted(frame, span) {
                    stack[top].current = position
                    if span.preference == .fewer, frame.limit != .max { stack[top].limit -= 1 }
                    return (frame.place + 1, position)
                }
                noteFailure(of: span, frame)
                stack.removeLast()
            default: stack.removeLast()
            }
        }
        return nil
    }

    /// The end of the next run to try: one scalar less, or one more.
    @inline(__always)
    private func shifted(_ frame: Frame, _ span: PatternProgram.Span) -> Int? {
        if span.preference == .fewer {
            guard frame.limit > 0, !hasFailedLater(span, from: frame.position) else { return nil }
            return take(span.scalarClass, at: frame.current)
        }
        guard frame.current > frame.limit else { return nil }
        return hasFailedLater(span, from: frame.position) ? frame.limit : previous(frame.current)
    }

    /// A run without an upper limit that failed with every length fails from each of its scalars on.
    private mutating func noteFailure(of span: PatternProgram.Span, _ frame: Frame) {
        guard memory != nil else { return }
        var last = frame.position
        if span.maximum == .max, !hasFailedLater(span, from: frame.position) {
            last = run(of: span.scalarClass, atMost: .max, from: frame.current).end
        }
        memory?.noteFailure(span.choice, at: frame.position...last)
    }

    /// Ends a run with success: what is on the stack leads there.
    mutating func finish(at end: Int, base: Int) -> Int {
        if memory != nil {
            for frame in stack[base...] where frame.kind != .slot {
                switch code[frame.place] {
                case .split(_, _, let choice):
                    memory?.noteEnd(end, of: choice, at: frame.position...frame.position)
                case .span(let span):
                    // From the scalars between as well, unless too few would be left.
                    let isOpen = span.maximum == .max && span.minimum < 2 && frame.current > frame.position
                    let last = isOpen ? frame.current - span.minimum : frame.position
                    memory?.noteEnd(end, of: span.choice, at: frame.position...last)
                default: break
                }
            }
        }
        stack.removeLast(stack.count - base)
        return end
    }
}
