"""The Perceptron rule as machine code: one row after the other, each with the weights that the row before has left."""

from torchann.engine.compiled.jit import compiled


@compiled(reorder=False, fuse=False, entry=True)
def learn_rows(w, b, x, signs, lr, scores):
    """Learn from each row that lies on the wrong side of the line, or on it.

    Sums are taken from the first feature to the last, as in scikit-learn's loop: the bits of its weights.

    Args:
        w: weights, ``(features,)``, moved in place.
        b: bias, ``(1,)``, moved in place.
        x: rows, ``(rows, features)``.
        signs: what each row is, -1 or +1, ``(rows,)``.
        lr: learning rate, of the weights' dtype.
        scores: where the weighted sum of each row goes, ``(rows,)``.
    """
    for row in range(len(x)):
        score = type(lr)(0)
        for i in range(len(w)):
            score += w[i] * x[row, i]
        score += b[0]
        scores[row] = score
        if signs[row] * score <= 0:
            step = lr * signs[row]
            for i in range(len(w)):
                w[i] += step * x[row, i]
            b[0] += step
