# Cross-entropy from logits and class numbers, in a form that large logits cannot break.
# Rows: B4
import tinygrad_edu as torch
from tinygrad_edu import nn

import os

torch.manual_seed(int(os.environ.get("EXAMPLE_SEED", 0)))
logits = torch.randn(6, 10)
labels = torch.randint(0, 10, (6,))

log_sum = torch.log(torch.exp(logits).sum(dim=1))  # by definition: -log softmax at the label
by_hand = (log_sum - logits[torch.arange(6), labels]).mean()
built_in = nn.CrossEntropyLoss()(logits, labels)
print(f"by definition {by_hand.item():.5f}, CrossEntropyLoss {built_in.item():.5f}")
print("equal within 1e-6:", abs(by_hand.item() - built_in.item()) < 1e-6)

huge = torch.tensor([[1e4, 0.0, -1e4]])
for label in range(3):
    by_hand = torch.log(torch.exp(huge).sum()) - huge[0, label]
    built_in = nn.CrossEntropyLoss()(huge, torch.tensor([label]))
    print(f"logits of 10,000, label {label}: by definition {by_hand.item()}, CrossEntropyLoss {built_in.item():.0f}")
