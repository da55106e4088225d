extension PatternMachine {
    /// The end of the first match of the instructions from a place up to their `accept`; nil if there is none.
    mutating func run(from first: Int, at start: Int) -> Int? {
        let base = stack.count
        var place = first
        var position = start
        while true {
            var isAlive = false
            switch code[place] {
            case .byte(let byte):
                if position < end, bytes[position] == byte {
                    position += 1
                    place += 1
                    isAlive = true
                }
            case .scalar(let scalarClass):
                if let next = take(scalarClass, at: position) {
                    position = next
                    place += 1
                    isAlive = true
                }
            case .span(let span):
                if let end = memory?.end(span.choice, at: position) { return finish(at: end, base: base) }
                if let end = enter(span, at: place, from: position) {
                    position = end
                    place += 1
                    isAlive = true
                }
            case .split(let preferred, let other, let choice):
                if let end = memory?.end(choice, at: position) { return finish(at: end, base: base) }
                if let next = choose(preferred, other, choice, at: place, position) {
                    place = next
                    isAlive = true
                }
            case .jump(let target):
                place = target
                isAlive = true
            case .anchor(let anchor):
                isAlive = holds(anchor, at: position)
                place += 1
            case .boundary(let word, let isNegative):
                isAlive = isBoundary(word, at: position) != isNegative
                place += 1
            case .peek(let scalarClass, let look):
                let found =
                    look.isBehind
                    ? position > 0 && take(scalarClass, at: previous(position)) != nil
                    : take(scalarClass, at: position) != nil
                isAlive = found != look.isNegative
                place += 1
            case .look(let end, let back, let isNegative):
                isAlive = looks(from: place + 1, back: back, at: position) != isNegative
                place = end
            case .atomic(let end):
                if let match = run(from: place + 1, at: position) {
                    position = match
                    place = end
                    isAlive = true
                }
            case .accept:
                return finish(at: position, base: base)
            case .mark(let slot):
                stack.append(Frame(kind: .slot, place: slot, position: slots[slot]))
                slots[slot] = position
                place += 1
                isAlive = true
            case .leaveIfEmpty(let slot, let exit):
                place = slots[slot] == position ? exit : place + 1
                isAlive = true
            }
            if !isAlive {
                guard let (nextPlace, nextPosition) = goBack(to: base) else { return nil }
                place = nextPlace
                position = nextPosition
            }
        }
    }

    private mutating func looks(from place: Int, back: Int, at position: Int) -> Bool {
        var start = position
        for _ in 0..<back {
            guard start > 0 else { return false }
            start = previous(start)
        }
        return run(from: place, at: start) != nil
    }
}
